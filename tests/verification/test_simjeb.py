"""A jet-engine bracket of SimJEB under its four load cases, against converged quadratic tetrahedra.

Set-up and values: README of the data folder beside the project. Bracket 417, 491 k unknowns of an independent code.
"""

import gzip
from pathlib import Path

import pytest

import twin

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "simjeb"
CONVERGED = {"ver": 0.4856e-3, "hor": 0.4270e-3, "dia": 0.1748e-3, "tor": 0.1998e-3}
BOLTS = [(0, 0), (0, -148.125), (52.0472, 1.5805), (38.0833, -146.9685)]  # mm
CLEVIS_AXIS = (-0.030367, 1.0, 0.0)
PIN_CENTRE = ("-20.924 mm", "-74.698 mm", "44.725 mm")


def bracket_study() -> twin.StaticStress:
    """Bolt bores fixed, the clevis bores loaded through a distributing coupling at the pin."""
    up, down = twin.select.facing((0, 0, 1), "45 deg"), twin.select.facing((0, 0, -1), "45 deg")
    bores = [
        twin.select.cylinder((f"{x} mm", f"{y} mm", "3.9245 mm"), (0, 0, 1), "5.6 mm", length="7.9 mm")
        for x, y in BOLTS
    ]
    bolts = (bores[0] | bores[1] | bores[2] | bores[3]) & ~up & ~down
    sides = twin.select.facing(CLEVIS_AXIS, "45 deg") | twin.select.facing(
        tuple(-x for x in CLEVIS_AXIS), "45 deg"
    )
    clevis = twin.select.cylinder(("-23.1919 mm", 0, "44.7246 mm"), CLEVIS_AXIS, "9.7 mm") & ~sides
    cases = {
        "ver": ((0, 0, 35585.8), (0, 0, 0)),
        "hor": ((-37809.9, 0, 0), (0, 0, 0)),
        "dia": ((-28276.2, 0, 31403.9), (0, 0, 0)),
        "tor": ((0, 0, 0), (0, 0, 564.924)),
    }
    return twin.StaticStress(
        twin.Material("113.8 GPa", 0.342, 4470, yield_strength="880 MPa", name="Ti-6Al-4V (SimJEB)"),
        supports=[twin.Fixed(on=bolts)],
        load_cases={
            name: [twin.RemoteForce(force, at=PIN_CENTRE, on=clevis, moment=moment)]
            for name, (force, moment) in cases.items()
        },
    )


@pytest.mark.corpus
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_bracket_417(client, tmp_path):
    if not DATA.exists():
        pytest.skip(f"needs the real geometry in {DATA}")
    path = tmp_path / "417.ply"
    path.write_bytes(gzip.decompress((DATA / "417.ply.gz").read_bytes()))
    part = client.upload(path, unit="mm")
    result = client.simulate(part, bracket_study(), accuracy=0.01, quantities=["max_displacement"]).result()
    for name, exact in CONVERGED.items():
        found = result.case(name).quantities["max_displacement"]
        assert found.value == pytest.approx(exact, rel=0.02), name
