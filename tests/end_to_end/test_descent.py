"""An optimum along the adjoints of the real solver, through free-form deformation, against beam theory."""

from itertools import product

import numpy as np
import pytest
from bar_in_tension import SIZE, face

import twin

E, FORCE, LIMIT = 200e9, 500.0, 0.6e-3
STEEL = twin.Material(E, 0.3, 7800)


@pytest.mark.slow
def test_the_lightest_cantilever_of_a_stiffness(box, tmp_path):
    """F L^3 / (3 E I) = u with I = b h^3 / 12, and Timoshenko's shear: the height that is just enough."""
    length, width, thickness = SIZE
    height = twin.Range("height", "8 mm", "20 mm")
    top = {(i, j, 1): (0, 0, height - thickness) for i, j in product(range(2), repeat=2)}
    study = twin.StaticStress(
        STEEL,
        [twin.Fixed(on=face(0, 0.0))],
        [twin.Force((0, 0, -FORCE), on=face(0, SIZE[0]))],
    )
    with twin.local(home=tmp_path / "home") as client:
        sweep = client.sweep(
            client.upload(box, unit="mm"), study, [height],
            twin.Descent(20, {"mass": "min"}, [f"max_displacement < {LIMIT}"]),
            shape=[twin.FreeForm((0, 0, 0), SIZE, (2, 2, 2), top)], accuracy=0.5, discretisation="tet",
            quantities=["max_displacement"],
        )  # fmt: skip
        table = sweep.result(timeout=400)
    assert len(table["height"]) <= 10
    found = table["height"][-1]
    bending = FORCE * length**3 / (3 * E * width * found**3 / 12)
    shear = FORCE * length * 1.2 * 2.6 / (E * width * found)
    assert bending + shear == pytest.approx(LIMIT, rel=0.02)
    assert table["max_displacement"][-1] == pytest.approx(LIMIT, rel=2e-3)
    allowed = table["max_displacement"] < LIMIT * 1.002
    assert table["mass"][-1] == pytest.approx(np.min(table["mass"][allowed]), rel=1e-3)
    assert table["mass"][-1] < 0.85 * table["mass"][0]
