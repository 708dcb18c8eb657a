"""Studies of flow: what users type, and what no part could answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import twin
from twin.cli import study_file
from twin.errors import MaterialError, StudyError, TwinError, UnitError


def test_what_users_type() -> None:
    study = twin.ExternalFlow(("120 km/h", 0, 0), ground=twin.Ground("-30 cm"), reference_area="2.2 m^2")
    assert study.velocity == pytest.approx((100 / 3, 0, 0))
    assert study.fluid.name == "air"
    assert study.fluid.density == pytest.approx(1.225)
    assert study.ground == twin.Ground(-0.3, moving=True)
    assert twin.ExternalFlow((1, 0, 0), "Water").fluid.viscosity == pytest.approx(1e-3, rel=0.01)


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        (lambda: twin.ExternalFlow((0, 0, 0)), StudyError, "at rest"),
        (lambda: twin.ExternalFlow((0, 0, 3)), StudyError, "lift has no direction"),
        (lambda: twin.ExternalFlow((1, 0, 0), up=(0, 0, 0)), StudyError, "zero vector"),
        (lambda: twin.ExternalFlow((1, 0, 1), ground=twin.Ground()), StudyError, "blow through"),
        (lambda: twin.Rotating((0, 0, 0), (0, 0, 0), 1, twin.select.all()), StudyError, "no direction"),
        (lambda: twin.ExternalFlow((1, 0, 0), rotating="wheel"), StudyError, r"twin\.Rotating"),
        (lambda: twin.ExternalFlow((1, 0, 0), ground=True), StudyError, r"twin\.Ground"),  # type: ignore[arg-type]
        (lambda: twin.ExternalFlow((1, 0, 0), reference_area=0), StudyError, "above 0"),
        (lambda: twin.ExternalFlow((1, 0, 0), "treacle"), MaterialError, "'air', 'water'"),
        (lambda: twin.Fluid(-1, 1e-3), MaterialError, "above 0"),
        (lambda: twin.ExternalFlow("(1, 0, 0) kg"), UnitError, "velocity"),
    ],
)
def test_what_no_part_could_answer(wrong: Callable[[], object], error: type[TwinError], said: str) -> None:
    with pytest.raises(error, match=said):
        wrong()


def test_in_a_file() -> None:
    read = study_file.parse("""
        type = "ExternalFlow"
        velocity = "(0, 20, 0) m/s"
        fluid = { density = 998, viscosity = "1 mPa*s", name = "cold water" }
        accuracy = 0.1
        reference_point = ["2 m", 0, 0]
        [ground]
        moving = false
        [[rotating]]
        axis = [0, 0, 1]
        point = ["1 cm", 0, 0]
        rate = "60 rpm"
        on = { patch = 3 }
    """)
    fluid = twin.Fluid(998, 1e-3, name="cold water")
    wheel = twin.Rotating((0, 0, 1), (0.01, 0, 0), 2 * np.pi, twin.select.patch(3))
    assert read.study == twin.ExternalFlow(
        (0, 20, 0), fluid, ground=twin.Ground(moving=False), rotating=wheel, reference_point=(2, 0, 0)
    )
    assert read.request.accuracy == 0.1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("supports = []", "unknown key 'supports'"),
        ("ground = { hight = 1 }", "ground: unknown key 'hight'; did you mean height"),
        ("rotating = [{ on = { patsh = 1 } }]", r"rotating\[0\]: on: .*patch"),
        ("fluid = { density = 1 }", "fluid: viscosity is missing"),
    ],
)
def test_a_wrong_word_in_a_file_is_named(line: str, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        study_file.parse(f'type = "ExternalFlow"\nvelocity = [1, 0, 0]\n{line}')
