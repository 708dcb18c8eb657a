"""Studies say what they are, and refuse in words what no part could answer."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from twin import materials, select
from twin.errors import MaterialError, SelectionError, StudyError, TwinError, UnitError
from twin.materials import Material
from twin.studies import (
    Centrifugal,
    Convection,
    Displacement,
    ElasticFoundation,
    Fixed,
    Force,
    Gravity,
    HeatConduction,
    HeatFlow,
    HeatFlux,
    Pressure,
    RemoteForce,
    Request,
    Roller,
    StaticStress,
    Symmetry,
    Temperature,
    Traction,
)

ALL = select.all()
FORCE = Force((0, 0, "-35.6 kN"), on=ALL)


def test_what_users_type() -> None:
    study = StaticStress(
        material="Ti-6Al-4V",
        supports=[Fixed(on=select.cylinder((0, 0, 0), (0, 0, 1), "5 mm"))],
        loads=[FORCE, Pressure("2 bar", on=ALL), Gravity((0, 0, -9.81))],
    )
    assert study.material is materials.material("Ti-6Al-4V")
    assert list(study.cases) == ["default"]
    assert study.cases["default"][0] == Force((0.0, 0.0, -35600.0), ALL)
    assert study.cases["default"][1].value == 2e5  # type: ignore[union-attr]
    assert "Ti-6Al-4V" in repr(study)
    assert hash(study) == hash(study)


def test_units_of_every_field() -> None:
    assert Traction("(1, 2, 3) MPa", ALL).vector == (1e6, 2e6, 3e6)
    assert Displacement(ALL, x="1 mm").x == pytest.approx(1e-3)
    assert Displacement(ALL, x=0).y is None
    assert ElasticFoundation(ALL, "1 N/mm^3").stiffness == pytest.approx(1e9)
    assert Centrifugal((0, 0, 1), (0, 0, 0), "60 rpm").rate == pytest.approx(6.283185307179586)
    remote = RemoteForce((1, 0, 0), at="(1, 0, 0) cm", on=ALL, moment=("1 kN*m", 0, 0))
    assert remote.moment == (1000.0, 0.0, 0.0)
    assert remote.at == (0.01, 0.0, 0.0)


def test_roller_is_symmetry() -> None:
    assert Roller is Symmetry


def test_load_cases() -> None:
    study = StaticStress("S235", [Fixed(ALL)], load_cases={"up": [FORCE], "down": [FORCE]})
    assert list(study.cases) == ["up", "down"]


def test_a_moved_support_is_load_enough() -> None:
    study = StaticStress("S235", [Fixed(select.patch(1)), Displacement(select.patch(2), x="1 mm")])
    assert study.cases == {"default": ()}


def test_a_foundation_is_support_enough() -> None:
    StaticStress("S235", [ElasticFoundation(ALL, 1e9)], [FORCE])


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: StaticStress("S235", [], [FORCE]), StudyError, "Nothing holds the part"),
        (lambda: StaticStress("S235", [Fixed(ALL)]), StudyError, "Nothing acts on the part"),
        (
            lambda: StaticStress("S235", [Fixed(ALL)], load_cases={"a": [FORCE], "b": []}),
            StudyError,
            "in load case 'b'",
        ),
        (lambda: StaticStress("S235", [Displacement(ALL, x=0)]), StudyError, "Nothing acts on the part"),
        (lambda: StaticStress("S235", [Fixed(ALL)], load_cases={}), StudyError, "at least one case"),
        (
            lambda: StaticStress("S235", [Fixed(ALL)], [FORCE], load_cases={"a": [FORCE]}),
            StudyError,
            "not both",
        ),
        (
            lambda: StaticStress("S235", [Fixed(ALL)], load_cases={"a b": [FORCE]}),
            StudyError,
            "'a b' can't name a load case",
        ),
        (lambda: StaticStress("S235", [FORCE], [FORCE]), StudyError, "supports can hold Fixed"),  # type: ignore[list-item]
        (lambda: StaticStress("S235", [Fixed(ALL)], [Fixed(ALL)]), StudyError, "loads can hold Force"),  # type: ignore[list-item]
        (lambda: StaticStress("S235", "Fixed", [FORCE]), StudyError, "must be a list"),  # type: ignore[arg-type]
        (lambda: StaticStress("steeel", [Fixed(ALL)], [FORCE]), MaterialError, "Did you mean 'Steel S235'"),
        (lambda: StaticStress(7, [Fixed(ALL)], [FORCE]), MaterialError, "not 7"),  # type: ignore[arg-type]
        (lambda: StaticStress("S235", [Fixed(ALL)], [FORCE], bodies=["316L"]), StudyError, "twin.Body(on="),  # type: ignore[list-item]
        (lambda: Fixed("patch 3"), SelectionError, "needs a selector"),  # type: ignore[arg-type]
        (lambda: Force((0, 0, "3 mm"), ALL), UnitError, "z of Force"),
        (lambda: Displacement(ALL), StudyError, "Give at least one of x, y, z"),
        (lambda: ElasticFoundation(ALL, 0), StudyError, "above 0"),
        (lambda: ElasticFoundation(ALL, 1, "tangential"), StudyError, "'normal', 'all'"),  # type: ignore[arg-type]
        (lambda: Centrifugal((0, 0, 0), (0, 0, 0), 1), StudyError, "zero vector"),
        (lambda: RemoteForce((1, 0, 0), (0, 0, 0), ALL, coupling="stiff"), StudyError, "'rigid'"),  # type: ignore[arg-type]
        (lambda: Request(accuracy=0), StudyError, "0.05 is 5 %"),
        (lambda: Request(accuracy=5), StudyError, "0.05 is 5 %"),
        (lambda: Request(method="magic"), StudyError, "'surrogate'"),  # type: ignore[arg-type]
        (lambda: Request(quantities=["Max Stress"]), StudyError, "'max_von_mises'"),
        (lambda: Request(quantities=["mass", "mass"]), StudyError, "different"),
        (lambda: Request(max_seconds=0), StudyError, "above 0"),
        (lambda: Request(max_unknowns=0.5), StudyError, "whole number"),  # type: ignore[arg-type]
    ],
)
def test_refusals(make: Callable[[], object], kind: type[TwinError], words: str) -> None:
    with pytest.raises(kind, match=re.escape(words)):
        make()


def test_request() -> None:
    assert Request() == Request(0.05, "auto", "auto", None, None, None)
    assert Request("5 %", max_seconds="2 min").max_seconds == 120


def test_heat_conduction() -> None:
    study = HeatConduction(
        "Al 6061-T6",
        [Temperature("20 degC", ALL), Convection("25 W/m^2/K", "20 degC", ALL)],
        [HeatFlow("1 kW", ALL)],
    )
    assert study.supports[0].value == pytest.approx(293.15)  # type: ignore[union-attr]
    assert study.cases == {"default": (HeatFlow(1000.0, ALL),)}
    assert HeatConduction("S235", Temperature(300.0, ALL)).cases == {"default": ()}
    assert hash(study) == hash(study)


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: HeatConduction("S235", []), StudyError, "insulated all around"),
        (
            lambda: HeatConduction(Material(1e9, 0.3, 1000.0), [Temperature(300, ALL)]),
            MaterialError,
            "conductivity",
        ),
        (
            lambda: HeatConduction("S235", [Fixed(ALL)]),
            StudyError,
            "supports can hold Temperature, Convection",
        ),
        (
            lambda: HeatConduction("S235", [], [Convection(5, 300, ALL)]),
            StudyError,
            "loads can hold HeatFlux",
        ),
        (lambda: Temperature(-20.0, ALL), StudyError, "below absolute zero"),
        (lambda: Temperature("20 W", ALL), UnitError, "can't be converted to K"),
        (lambda: Convection(0.0, 300.0, ALL), StudyError, "must be above 0"),
        (lambda: HeatFlux(1.0, None), SelectionError, "HeatFlux"),
    ],
)
def test_heat_that_no_part_could_answer(
    make: Callable[[], object], kind: type[TwinError], words: str
) -> None:
    with pytest.raises(kind, match=re.escape(words)):
        make()
