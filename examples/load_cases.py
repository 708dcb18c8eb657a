"""Three loads on one bracket in one run: the mesh and the set-up of the solver are paid for once.

Prints a line for each case and the worst over all of them, and draws worst.png.
"""

from __future__ import annotations

import sys
from pathlib import Path

import bracket

import twin

BOLTS = twin.select.box(("-45 mm", "-25 mm", "0.1 mm"), ("45 mm", "25 mm", "5.9 mm"))
PIN = twin.select.cylinder((0, 0, "40 mm"), axis=(0, 1, 0), radius="8.1 mm")
CASES = {
    "lift": [twin.Force((0, 0, "5 kN"), on=PIN)],
    "brake": [twin.Force(("3 kN", 0, 0), on=PIN), twin.Gravity((0, 0, -9.81))],
    "twist": [twin.RemoteForce((0, 0, 0), at=(0, 0, "40 mm"), moment=(0, 0, "40 N*m"), on=PIN)],
}


def main(folder: Path = Path(), accuracy: float = 0.05) -> twin.Result:
    """Solve the three cases; bracket.step and worst.png go into `folder`."""
    study = twin.StaticStress("Al 7075-T6", supports=[twin.Fixed(on=BOLTS)], load_cases=CASES)
    with twin.local() as client:
        part = client.upload(bracket.main(folder / "bracket.step"), unit="mm")
        result = client.simulate(part, study, accuracy=accuracy).result()
        for name in result.cases:
            print(f"{name:6} {result.case(name).quantities['max_von_mises']}")
        worst = result.quantities["max_von_mises"]
        print(f"worst  {worst} ({worst.note})")
        result.plot(folder / "worst.png")
    return result


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())
