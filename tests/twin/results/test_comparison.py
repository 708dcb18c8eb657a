"""Two answers side by side: the same is the same, and what differs shows where it does."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from twin.errors import InvalidInput
from twin.quantities import Field
from twin.results.comparison import compare
from twin.results.outcome import Outcome
from twin.results.skin import skin


def panels(path):
    """The parts of the picture that show a part each, and what of them has a colour."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    height, width, _ = pixels.shape
    rows = slice(int(0.17 * height), int(0.83 * height))
    return [pixels[rows, k * width // 3 : (k + 1) * width // 3] for k in range(3)]


def blue(panel):
    """Share of a panel that is as blue as what is low."""
    return float((panel[..., 2] > panel[..., 0] + 60).mean())


def on_surface(outcome: Outcome, factor: float = 1.0) -> Outcome:
    """As a surrogate gives it: on triangles of the surface, which are others."""
    part = skin(outcome)
    cases = {}
    for name, case in outcome.cases.items():
        fields = {
            key: Field(field.name, factor * part.at(np.asarray(field.values)), field.unit, "node")
            for key, field in case.fields.items()
            if field.location == "node"
        }
        cases[name] = dataclasses.replace(case, fields=fields)
    return dataclasses.replace(
        outcome,
        cases=cases,
        points=part.points,
        tets=np.zeros((0, 10), np.int32),
        faces=part.faces[::-1].astype(np.int32),
    )


def test_what_is_the_same_differs_nowhere(beam, tmp_path):
    first, second, apart = panels(compare(beam, tmp_path / "same.png", on_surface(beam)))
    assert np.abs(first - second).max(axis=2).astype(bool).mean() < 0.02  # edges are drawn in another order
    assert blue(first) > 0.01
    assert blue(apart) == 0


def test_what_differs_shows(beam, tmp_path):
    first, second, apart = panels(compare(beam, tmp_path / "less.png", on_surface(beam, 0.5)))
    assert np.abs(first - second).max(axis=2).astype(bool).mean() > 0.05
    assert blue(apart) > 0.05


@pytest.mark.parametrize("field", ["displacement", "displacement_z", "stress_xx"])
def test_any_field_is_compared(beam, tmp_path, field):
    assert compare(beam, tmp_path / "a.png", on_surface(beam), field=field, names=("a", "b")).exists()


def test_what_has_no_difference_is_refused(beam, build, tmp_path):
    with pytest.raises(InvalidInput, match="different parts"):
        compare(beam, tmp_path / "a.png", build(scale=2.0))
    with pytest.raises(InvalidInput, match="only one of the two"):
        compare(build({"a": 1.0}), tmp_path / "a.png", build({"b": 1.0}))
    with pytest.raises(InvalidInput, match="no field"):
        compare(beam, tmp_path / "a.png", beam, field="temperature")
    with pytest.raises(InvalidInput, match="png"):
        compare(beam, tmp_path / "a.pdf", beam)
