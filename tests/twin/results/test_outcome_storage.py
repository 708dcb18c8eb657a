import json
import subprocess
import sys

import numpy as np
import pytest

from twin.results.outcome import Equilibrium, Glyph, Outcome
from twin.results.storage import dump, load


def same(a: Outcome, b: Outcome) -> None:
    for name in ("points", "tets", "surface_vertices", "surface_triangles"):
        assert getattr(a, name).dtype == getattr(b, name).dtype
        assert np.array_equal(getattr(a, name), getattr(b, name))
    for name in ("assumptions", "warnings", "convergence", "mesh_quality", "mesher", "provenance", "cost"):
        assert getattr(a, name) == getattr(b, name)
    assert list(a.cases) == list(b.cases)
    for name, case in a.cases.items():
        other = b.cases[name]
        assert dict(case.quantities) == dict(other.quantities)
        assert case.balance == other.balance
        for mine, theirs in ((case.fields, other.fields), (case.surface_fields, other.surface_fields)):
            assert list(mine) == list(theirs)
            for key, field in mine.items():
                assert np.array_equal(field.values, theirs[key].values)
                assert (field.unit, field.location) == (theirs[key].unit, theirs[key].location)
    for glyph, other_glyph in zip(a.glyphs, b.glyphs, strict=True):
        assert (glyph.kind, glyph.label, glyph.case) == (
            other_glyph.kind,
            other_glyph.label,
            other_glyph.case,
        )
        assert np.array_equal(glyph.points, other_glyph.points)
        assert (glyph.directions is None) == (other_glyph.directions is None)
        if glyph.directions is not None:
            assert np.array_equal(glyph.directions, other_glyph.directions)


@pytest.mark.parametrize("error", [0.02, float("inf"), 1.0 / 3.0])
def test_nothing_is_lost_on_the_way_through_json(build, error):
    outcome = build({"ver": 1.0, "hor": 1.0 / 3.0}, error=error, warnings=("mind the ± sign",))
    manifest, arrays = dump(outcome)
    text = json.dumps(manifest, allow_nan=False)
    same(outcome, load(json.loads(text), arrays.__getitem__))


def test_unknown_errors_stay_infinite(build):
    manifest, arrays = dump(build(error=float("inf")))
    loaded = load(json.loads(json.dumps(manifest)), arrays.__getitem__)
    quantities = loaded.cases["default"].quantities
    assert quantities["max_von_mises"].error == float("inf")
    assert np.isinf(quantities["reaction_force"].error).all()
    assert loaded.convergence[-1].errors["max_displacement"] == float("inf")


def test_fields_are_fetched_when_looked_up_and_once(beam):
    manifest, arrays = dump(beam)
    fetched: list[str] = []

    def fetch(name):
        fetched.append(name)
        return arrays[name]

    loaded = load(manifest, fetch)
    assert not any(name.startswith("default.") for name in fetched)
    fields = loaded.cases["default"].fields
    assert "stress" in fields
    assert len(fields) == 4
    assert fields["stress"] is fields["stress"]
    assert [name for name in fetched if name.startswith("default.")] == ["default.stress"]


def test_array_names_say_where_they_belong(two_cases):
    _, arrays = dump(two_cases)
    assert {"mesh.points", "mesh.tets", "ver.displacement", "hor.stress", "ver.surface.von_mises"} <= set(
        arrays
    )


def test_another_format_is_refused(beam):
    manifest, arrays = dump(beam)
    with pytest.raises(ValueError, match="format 99"):
        load({**manifest, "version": 99}, arrays.__getitem__)


def test_the_worst_case_is_the_one_with_the_largest_stress(two_cases):
    assert two_cases.worst_case == "ver"
    assert two_cases.case("hor") is two_cases.cases["hor"]
    assert two_cases.case() is two_cases.cases["ver"]


def test_vectors_may_come_as_arrays():
    balance = Equilibrium(np.ones(3), -np.ones(3), [0, 0, 0], (1, 2, 3), np.float64(1e-9))
    assert balance.applied_force == (1.0, 1.0, 1.0)
    assert type(balance.residual) is float
    glyph = Glyph("force", "F", np.zeros((4, 3)), np.array([0.0, 0.0, 1.0]))
    assert glyph.directions is not None
    assert glyph.directions.shape == (4, 3)


def test_the_model_is_light():
    code = "import sys, twin.results.outcome, twin.results.storage as s; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"pyvista", "vtk", "vtkmodules", "matplotlib", "jax", "trimesh", "scipy"} & set(modules)
