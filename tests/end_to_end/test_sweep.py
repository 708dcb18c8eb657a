"""A sweep with the real solver, against beam theory: of loads, materials and the shape."""

from itertools import product

import numpy as np
import pytest
from bar_in_tension import SIZE, face

import twin

OPTIONS = {"accuracy": 0.1, "discretisation": "grid", "max_unknowns": 40_000}


def taller(rise):
    """The bar with its top lifted."""
    return twin.FreeForm(
        (0, 0, 0), SIZE, (2, 2, 2), {(i, j, 1): (0, 0, rise) for i, j in product(range(2), repeat=2)}
    )


def cantilever(alloy, load):
    return twin.StaticStress(
        alloy,
        supports=[twin.Fixed(on=face(0, 0.0))],
        loads=[twin.Force((0, 0, -load), on=face(0, SIZE[0]))],
    )


def test_a_cantilever_moves_as_beam_theory_says(box, tmp_path):
    """u = F L^3 / (3 E I) with I = b h^3 / 12 and Timoshenko's shear: within 2 % over heights, loads and alloys."""
    length, width, thickness = SIZE
    height, load = twin.Range("height", "8 mm", "14 mm"), twin.Range("load", "50 N", "200 N")
    alloy = twin.Choice("alloy", ["Ti-6Al-4V", "316L"])
    with twin.local(home=tmp_path / "home") as client:
        part = client.upload(box, unit="mm")
        sweep = client.sweep(
            part, cantilever(alloy, load), [height, load, alloy], twin.Sobol(4),
            shape=[taller(height - thickness)], quantities=["max_displacement"], keep_fields=True, **OPTIONS,
        )  # fmt: skip
        table = sweep.result(timeout=400)
        assert (table["state"] == "DONE").all(), table["reason"]
        materials = [twin.materials.material(str(name)) for name in table["alloy"]]
        modulus, ratio, density = np.array(
            [(m.youngs_modulus, m.poissons_ratio, m.density) for m in materials]
        ).T
        section = width * table["height"]
        bending = table["load"] * length**3 / (3 * modulus * section * table["height"] ** 2 / 12)
        shear = table["load"] * length * 1.2 * 2 * (1 + ratio) / (modulus * section)
        assert table["max_displacement"] == pytest.approx(bending + shear, rel=0.02)
        assert table["mass"] == pytest.approx(density * length * section, rel=1e-3)
        assert sweep.report(tmp_path / "sweep.html").read_text().count("data:image/png") > 0
        # a design is what simulating it says
        first = {name: table[name][0] for name in ("alloy", "load", "height")}
        alone = client.simulate(
            part, cantilever(str(first["alloy"]), first["load"]), shape=[taller(first["height"] - thickness)],
            quantities=["max_displacement"], **OPTIONS,
        ).result()  # fmt: skip
        assert alone.quantities["max_displacement"].value == pytest.approx(
            table["max_displacement"][0], rel=1e-9
        )
        assert any("free-form" in line for line in alone.assumptions)
        with pytest.raises(twin.FailedPrecondition, match="on a grid"):
            alone.gradient("max_displacement", wrt="loads")
