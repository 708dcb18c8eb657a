"""On an accelerator against the same on the CPU: static stress with every support, load and coupling; steps of flow."""

import contextlib
from pathlib import Path

import jax
import numpy as np
import pytest

import twin
from solvers.lattice_boltzmann import flow
from tests.benchmarks.flow.tunnel import tunnel
from twin import select
from twin.analyses.monitor import Silent
from twin.analyses.run import run
from twin.geometry.parse import parse
from twin.studies import Request

pytestmark = pytest.mark.gpu


def face(axis: int, at: float) -> select.Selector:
    """A face of the block across an axis."""
    place = np.zeros(3)
    place[axis] = at
    return select.plane(tuple(place), tuple(np.eye(3)[axis]))


def study() -> twin.StaticStress:
    """A block of 60 x 20 x 20 mm under all that a study can hold."""
    end, top, side = face(0, 0.06), face(2, 0.02), face(1, 0.02)
    return twin.StaticStress(
        "Al 6061-T6",
        supports=[
            twin.Fixed(on=face(0, 0.0)),
            twin.Symmetry(on=face(1, 0.0)),
            twin.Displacement(on=face(2, 0.0) & select.box((0.05, 0, 0), (0.06, 0.02, 0.02)), z="0.01 mm"),
            twin.ElasticFoundation(on=side, stiffness=1e11),
        ],
        load_cases={
            "faces": [
                twin.Force((0, 0, "-1 kN"), on=end),
                twin.Pressure("2 bar", on=top),
                twin.Traction(("1 bar", 0, 0), on=top),
            ],
            "body": [twin.Gravity((0, 0, -9.81)), twin.Centrifugal((0, 0, 1), (0, 0, 0), "3000 rpm")],
            "distributing": [
                twin.RemoteForce((0, 0, 500), at=(0.1, 0, 0), on=end, moment=("5 N*m", 0, 0)),
            ],
            "rigid": [twin.RemoteForce((0, 0, 500), at=(0.1, 0, 0), on=end, coupling="rigid")],
        },
    )


def solve(folder: Path):
    """The outcome of the study; meshes come out the same every time."""
    import trimesh

    block = trimesh.creation.box(extents=[60, 20, 20])
    block.apply_translation([30, 10, 10])
    block.export(folder / "block.stl")
    surface, report = parse(folder / "block.stl", "mm", "block.stl")
    request = Request(accuracy=0.5)
    return run(surface, report, study(), request, source=None, monitor=Silent(), workdir=folder)


def needs_accelerator() -> None:
    if jax.default_backend() == "cpu":
        pytest.skip("jax has no accelerator here: pip install 'twin[cuda]' on a machine with one")


def test_flow_on_an_accelerator_agrees_with_cpu():
    needs_accelerator()
    found = flown()
    with jax.default_device(jax.devices("cpu")[0]):
        expected = flown()
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4 * np.abs(other).max())


def flown() -> tuple[np.ndarray, np.ndarray]:
    """Velocity and the force on a ball, in a wind tunnel with everything on, while it begins."""
    scheme, given, state = tunnel(48, fused=True)
    state = flow.advance(scheme, given, state, 8)
    velocity = flow.macroscopic(scheme, given, state).velocity
    return np.asarray(velocity), np.asarray(flow.exchanged(scheme, given, state)).sum(axis=1)


def test_accelerator_agrees_with_cpu(tmp_path):
    needs_accelerator()
    compare(solve(tmp_path), tmp_path, jax.default_device(jax.devices("cpu")[0]))


def compare(found, folder: Path, where: contextlib.AbstractContextManager[object]) -> None:
    """Displacement to 1e-6, stress and errors to 1e-5 of their largest value."""
    with where:
        expected = solve(folder)
    assert found.tets.shape == expected.tets.shape
    for name, case in expected.cases.items():
        for field, tolerance in (("displacement", 1e-6), ("stress", 1e-5), ("von_mises_error", 1e-4)):
            values, wanted = found.cases[name].fields[field].values, case.fields[field].values
            assert np.abs(values - wanted).max() <= tolerance * np.abs(wanted).max(), (name, field)
