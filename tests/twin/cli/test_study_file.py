"""Study files say the same as the SDK, and what they can't say is refused at its place."""

from __future__ import annotations

import pytest

import twin
from twin import codec, select
from twin.cli import study_file, sweep_file
from twin.codec.assignments import assignments_of
from twin.errors import InvalidInput, MaterialError, StudyError, UnitError
from twin.sweeps.space import Space

HEAD = """
material = "Ti-6Al-4V"
[[supports]]
type = "Fixed"
on = { patch = 1 }
"""
LOAD = """
[[loads]]
type = "Gravity"
vector = [0, 0, -9.81]
"""


def test_every_word_of_the_sdk():
    read = study_file.parse("""
        type = "StaticStress"
        accuracy = 0.02
        method = "solver"
        quantities = ["max_displacement"]
        max_seconds = "2 min"

        [material]
        youngs_modulus = "210 GPa"
        poissons_ratio = 0.3
        density = 7850

        [[supports]]
        type = "Fixed"
        on = { cylinder = { point = ["1 mm", 0, "0 m"], axis = [0, 0, 1], radius = "5 mm", length = 0.01 } }
        [[supports]]
        type = "Displacement"
        on = { plane = { point = [0, 0, 0], normal = [1, 0, 0] } }
        x = "0.1 mm"
        [[supports]]
        type = "ElasticFoundation"
        on = { facing = { direction = [0, 0, -1], max_angle = "20 deg" } }
        stiffness = 1e9
        direction = "all"

        [[load_cases.ver]]
        type = "Force"
        vector = "(0, 0, 35.6) kN"
        on = { group = "clevis" }
        [[load_cases.ver]]
        type = "Pressure"
        value = "2 bar"
        on = "all"
        [[load_cases.tor]]
        type = "RemoteForce"
        force = [0, 0, 0]
        at = ["1 mm", "2 mm", "3 mm"]
        moment = ["0 N*m", "0 N*m", "565 N*m"]
        coupling = "rigid"
        on = { box = { min = [0, 0, 0], max = [1, 1, 1] } }
        [[load_cases.tor]]
        type = "Centrifugal"
        axis = [0, 0, 1]
        point = [0, 0, 0]
        rate = "3000 rpm"

        [[bodies]]
        on = { group = "pin" }
        material = "316L"
    """)
    bore = select.cylinder(("1 mm", 0, 0), (0, 0, 1), "5 mm", "10 mm")
    assert read.study == twin.StaticStress(
        material=twin.Material("210 GPa", 0.3, 7850),
        supports=[
            twin.Fixed(bore),
            twin.Displacement(select.plane((0, 0, 0), (1, 0, 0)), x=1e-4),
            twin.ElasticFoundation(select.facing((0, 0, -1), "20 deg"), 1e9, "all"),
        ],
        load_cases={
            "ver": [twin.Force((0, 0, "35.6 kN"), select.group("clevis")), twin.Pressure(2e5, select.all())],
            "tor": [
                twin.RemoteForce(
                    (0, 0, 0), (1e-3, 2e-3, 3e-3), select.box((0, 0, 0), (1, 1, 1)), (0, 0, 565), "rigid"
                ),
                twin.Centrifugal((0, 0, 1), (0, 0, 0), "3000 rpm"),
            ],
        },
        bodies=[twin.Body(on=select.group("pin"), material="316L")],
    )
    assert (read.request.accuracy, read.request.method) == (0.02, "solver")
    assert read.request.quantities == ("max_displacement",)
    assert read.request.max_seconds == 120.0


def test_options_of_the_command_win():
    assert study_file.parse(f"accuracy = 0.5\n{HEAD}{LOAD}", {"accuracy": 0.1}).request.accuracy == 0.1


def test_selectors_combine():
    found = study_file.selector(
        {
            "any": [
                {"patch": [1, 2]},
                {"all": [{"group": "top"}, {"not": {"sphere": {"center": [0, 0, 0], "radius": 1}}}]},
            ]
        }
    )
    assert found == select.patch(1, 2) | (select.group("top") & ~select.sphere((0, 0, 0), 1))


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("material = ", StudyError, "not TOML"),
        (LOAD, StudyError, "material is missing"),
        (f"acuracy = 0.1\n{HEAD}{LOAD}", StudyError, "unknown key 'acuracy'; did you mean accuracy"),
        (f"{HEAD}{LOAD}on = {{ patch = 1 }}", StudyError, r"loads\[0\]: Gravity: unknown key 'on'"),
        (
            f"{HEAD}[[loads]]\ntype = 'Gravty'",
            StudyError,
            r"loads\[0\]: unknown type 'Gravty'; did you mean Gravity",
        ),
        (
            f"{HEAD}[[loads]]\ntype = 'Force'\non = {{ patch = 1 }}",
            StudyError,
            r"loads\[0\]: Force: vector is missing",
        ),
        (f"{HEAD}[[loads]]\ntype = 'Gravity'\nvector = '3 kN'", UnitError, r"^loads\[0\]: Gravity: "),
        (
            f"{HEAD}[[loads]]\ntype = 'Pressure'\nvalue = [1]\non = {{ patch = 1 }}",
            UnitError,
            r"loads\[0\]: Pressure",
        ),
        (
            HEAD.replace("patch", "pach") + LOAD,
            StudyError,
            r"supports\[0\]: on: unknown key 'pach'; did you mean patch",
        ),
        (HEAD.replace("patch = 1", "patch = 1, group = 'a'") + LOAD, StudyError, "a selector has one word"),
        (
            HEAD.replace("patch = 1", "sphere = { centre = [0, 0, 0], radius = 1 }") + LOAD,
            StudyError,
            "mean center",
        ),
        (HEAD.replace("patch = 1", "any = []") + LOAD, StudyError, "expected a list of selectors"),
        (HEAD.replace("patch = 1", "group = 3") + LOAD, InvalidInput, r"supports\[0\]: on: group"),
        (HEAD.replace("Ti-6Al-4V", "Ti-6Al-4") + LOAD, MaterialError, "Ti-6Al-4V"),
        (HEAD, StudyError, "Nothing acts on the part"),
        ("material = 3\n" + LOAD, StudyError, "material: expected a table"),
        (HEAD + "[loads]\ntype = 'Gravity'", StudyError, "loads: expected a list of tables"),
        (f"accuracy = 7\n{HEAD}{LOAD}", StudyError, "accuracy"),
        (f"{HEAD}{LOAD}[[bodies]]\nmaterial = '316L'", StudyError, r"bodies\[0\]: on is missing"),
        (f"{HEAD}{LOAD}[[bodies]]\non = {{ pach = 1 }}", StudyError, r"bodies\[0\]: on: unknown key 'pach'"),
    ],
)
def test_refusals_name_the_place(text, kind, words):
    with pytest.raises(kind, match=words):
        study_file.parse(text)


def test_a_file_is_named_in_the_error(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text("materiel = 1")
    with pytest.raises(StudyError, match=r"^study.toml: unknown key 'materiel'; did you mean material"):
        study_file.read(file)
    with pytest.raises(StudyError, match="can't be read"):
        study_file.read(tmp_path / "none.toml")


def test_every_word_of_heat():
    read = study_file.parse("""
        type = "HeatConduction"
        material = "Al 6061-T6"

        [[supports]]
        type = "Temperature"
        value = "20 degC"
        on = { patch = 1 }
        [[supports]]
        type = "Convection"
        coefficient = "25 W/m^2/K"
        ambient = 300
        on = { not = { patch = 1 } }

        [[load_cases.hot]]
        type = "HeatFlux"
        value = "1 kW/m^2"
        on = { patch = 2 }
        [[load_cases.hot]]
        type = "HeatSource"
        value = "2 W/cm^3"
        [[load_cases.cold]]
        type = "HeatFlow"
        value = "-10 W"
        on = { patch = 2 }
    """)
    assert read.study == twin.HeatConduction(
        "Al 6061-T6",
        [
            twin.Temperature("20 degC", select.patch(1)),
            twin.Convection("25 W/m^2/K", 300.0, ~select.patch(1)),
        ],
        load_cases={
            "hot": [twin.HeatFlux(1e3, select.patch(2)), twin.HeatSource("2 W/cm^3")],
            "cold": [twin.HeatFlow(-10.0, select.patch(2))],
        },
    )


def test_words_of_another_study_are_refused():
    with pytest.raises(StudyError, match=r"supports\[0\]: unknown type 'Fixed'"):
        study_file.parse(HEAD.replace("material", 'type = "HeatConduction"\nmaterial'))


SWEEP = """
material = "=alloy"
constraints = ["load < 4000"]
[parameters]
load = { low = "1 kN", high = "5 kN" }
count = { low = 1, high = 3, integer = true }
area = { levels = ["1 mm^2", "2 mm^2"] }
alloy = { options = ["316L", "Ti-6Al-4V"] }
[sampling]
type = "Sobol"
count = 8
[[supports]]
type = "Fixed"
on = { patch = 0 }
[[loads]]
type = "Force"
vector = [0, "=load / 2", "= -load * count"]
on = { plane = { point = ["10 mm", 0, "=area * 1000"], normal = [0, 0, 1] } }
[[shape]]
min = [0, 0, 0]
max = [1, 1, 1]
control = [2, 2, 3]
moves = [{ at = [1, 1, 2], by = [0, 0, "=area * 10"] }]
"""


VERIFIED = """
[[sampling]]
type = "Evolution"
count = 48
objectives = { mass = "min" }
[[sampling]]
type = "Verification"
count = 4
[preview]
discretisation = "grid"
accuracy = "20 %"
"""


def test_a_sweep_file_says_the_same_as_the_sdk() -> None:
    asked = sweep_file.parse(SWEEP, {"accuracy": 0.1})
    assert [type(p).__name__ for p in asked.parameters] == ["Range", "Integers", "Levels", "Choice"]
    assert asked.samplings == (twin.Sobol(8),)
    assert asked.preview is None
    searched = sweep_file.parse(SWEEP.replace("[sampling]", "[[sampling]]") + VERIFIED)
    assert searched.samplings == (twin.Sobol(8), twin.Evolution(48, {"mass": "min"}), twin.Verification(4))
    assert searched.preview == twin.Preview(accuracy="20 %", discretisation="grid")
    assert asked.constraints == ("load < 4000",)
    assert asked.request.accuracy == 0.1
    space = Space(asked.parameters, asked.constraints)
    message, shape = codec.study_to_proto(asked.study), codec.shape_to_proto(asked.shape)
    found = {a.field: a.expression or a.material.parameter for a in assignments_of(message, shape, space)}
    assert found == {
        "study.static_stress.load_cases[0].loads[0].force.vector.y": "load / 2",
        "study.static_stress.load_cases[0].loads[0].force.vector.z": "-load * count",
        "study.static_stress.load_cases[0].loads[0].force.on.plane.point.z": "area * 1000",
        "study.static_stress.material": "alloy",
        "shape.free_forms[0].moves[0].by.z": "area * 10",
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"=load / 2"', '"=laod / 2"'), "did you mean load"),
        (('"=load / 2"', '"=load +"'), "can't be read"),
        (("high = 3,", "high = 0,"), "parameters.count: count goes from 1 to 0"),
        (('type = "Sobol"', 'type = "Sobel"'), "sampling: .*Sobol"),
        (("count = 8", "number = 8"), "sampling: unknown key"),
        (('["load < 4000"]', '"load < 4000"'), "constraints: expected a list"),
        (('"=alloy"', '"=load"'), "material"),
    ],
)
def test_mistakes_in_a_sweep_file_are_told_with_their_place(change: tuple[str, str], said: str) -> None:
    with pytest.raises(twin.TwinError, match=said):
        sweep_file.parse(SWEEP.replace(*change))


def test_a_study_file_with_parameters_is_for_a_sweep() -> None:
    with pytest.raises(twin.StudyError, match="twin sweep"):
        study_file.parse(SWEEP)


def test_flows():
    assert study_file.parse("""
        type = "ExternalFlow"
        velocity = "(30, 0, 0) m/s"
        fluid = "water"
        up = [0, 0, 1]
        reference_area = "0.05 m^2"
        [ground]
        height = "-1 m"
        moving = false
        [[rotating]]
        axis = [0, 1, 0]
        point = [0, 0, "0.3 m"]
        rate = "60 rpm"
        on = { group = "wheel" }
    """).study == twin.ExternalFlow(
        (30, 0, 0),
        "water",
        ground=twin.Ground(-1, moving=False),
        reference_area=0.05,
        rotating=twin.Rotating((0, 1, 0), (0, 0, 0.3), "60 rpm", select.group("wheel")),
    )
    read = study_file.parse("""
        type = "InternalFlow"
        accuracy = 0.1
        inlets.supply = { on = { group = "port_a" }, flow_rate = "0.002 m^3/s" }
        outlets.left = { on = { group = "port_b" } }
        outlets.right = { on = { group = "port_c" }, pressure = "2 kPa" }
        [fluid]
        density = 870
        viscosity = "80 mPa*s"
    """)
    assert read.request.accuracy == 0.1
    assert read.study == twin.InternalFlow(
        {"supply": twin.Inlet(select.group("port_a"), flow_rate=2e-3)},
        {
            "left": twin.Outlet(select.group("port_b")),
            "right": twin.Outlet(select.group("port_c"), 2000.0),
        },
        twin.Fluid(870, 0.08),
    )


def test_flows_of_a_sweep():
    read = sweep_file.parse("""
        type = "InternalFlow"
        inlets.supply = { on = { patch = 1 }, velocity = "=speed" }
        outlets.left = { on = { patch = 2 } }
        [sampling]
        type = "Evolution"
        count = 16
        objectives = { dissipated_power = "min" }
        [parameters]
        speed = { low = "1 m/s", high = "2 m/s" }
    """)
    space = Space(read.parameters, read.constraints)
    asked = codec.SweepRequest("geometries/a", read.study, read.request, space, read.samplings)
    assert codec.sweep_to_proto(asked).study.internal_flow.inlets[0].name == "supply"
    (found,) = assignments_of(codec.study_to_proto(read.study), codec.shape_to_proto(read.shape), space)
    assert (found.field, found.expression) == ("study.internal_flow.inlets[0].velocity", "speed")


INLET = "inlets.a = { on = { patch = 1 }, velocity = 1 }"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (INLET, "outlets"),
        (f"{INLET}\noutlets.a = {{ on = {{ patch = 2 }} }}", "inlet and an outlet"),
        ("inlets.a = { on = { patch = 1 } }\noutlets.b = { on = { patch = 2 } }", r"inlets\.a.*velocity"),
        (f"{INLET}\noutlets.b = {{ patch = 2 }}", r"outlets\.b"),
        (f"{INLET}\noutlets.b = {{ on = {{ patch = 2 }} }}\nvelocity = 1", "velocity"),
        (f"{INLET}\noutlets = 1", "outlets"),
    ],
)
def test_what_a_flow_can_not_be_is_refused_at_its_place(text, said):
    with pytest.raises(InvalidInput, match=said):
        study_file.parse(f'type = "InternalFlow"\n{text}')
