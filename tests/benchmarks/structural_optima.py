"""Two classic optima of structures, looked for on a grid and verified on tetrahedra.

`python -m tests.benchmarks.structural_optima [--parts fillet bracket] [--reports FOLDER]`

    fillet     the shoulder of a flat bar in tension: which superellipse of a length that is given has the least peak
               stress, beside the arc of a circle (Peterson's Kt; with p = 2 a superellipse is an ellipse)
    bracket    examples/bracket.py: its plate, upright and ribs as thick as they have to be for a stress, beside the
               bracket as it is

Each optimum is one of the designs that the service has verified to the accuracy that was asked for.
"""

from __future__ import annotations

import argparse
import datetime
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import netgen.occ as occ
import numpy as np

import twin
from examples import bracket
from tests.benchmarks.solids import machine

RESULTS: Final = Path(__file__).parent / "results"
ACCURACY: Final = 0.05
PREVIEW: Final = twin.Preview(accuracy=0.2, max_unknowns=30_000)

# The bar, in mm: half-widths, half of the thickness, where the narrow part begins, length.
WIDE, NARROW, THICK, BEGIN, LENGTH = 20.0, 10.0, 2.0, 60.0, 100.0
PULL: Final = 4000.0  # N on the quarter that is modelled
NOMINAL: Final = PULL / (1e-6 * NARROW * THICK)


def bar(reach: float, power: float) -> Any:
    """A quarter of a flat bar whose shoulder is (s / reach)^power + (h / height)^power = 1. reach: in m."""
    plane = occ.WorkPlane(occ.Axes(occ.Pnt(0, 0, 0), n=occ.Z, h=occ.X))
    angles = np.linspace(0, np.pi / 2, 33)[1:]
    height = WIDE - NARROW
    along = BEGIN - 1e3 * reach * np.sin(angles) ** (2 / power)
    up = NARROW + height * (1 - np.cos(angles) ** (2 / power))
    curve = [occ.gp_Pnt2d(x, y) for x, y in zip(along, up, strict=True)]
    plane.MoveTo(0, 0).LineTo(LENGTH, 0).LineTo(LENGTH, NARROW).LineTo(BEGIN, NARROW).Spline(curve)
    return plane.LineTo(0, WIDE).LineTo(0, 0).Face().Extrude(THICK * occ.Z)


def pulled() -> twin.StaticStress:
    """The quarter between its planes of symmetry and its wide end."""
    at = {axis: [1.0 if axis == own else 0.0 for own in range(3)] for axis in range(3)}
    held = [twin.Symmetry(twin.select.plane((0, 0, 0), at[axis])) for axis in range(3)]
    end = twin.select.plane((1e-3 * LENGTH, 0, 0), at[0])
    return twin.StaticStress("Al 7075-T6", held, [twin.Force((PULL, 0, 0), end)])


def fillet(client: twin.Client, folder: Path) -> dict[str, Any]:
    """The least peak stress of shoulders that reach at most as far as they are high twice over."""
    reach, power = twin.Range("reach", "10 mm", "20 mm"), twin.Range("power", 1.6, 3.2)
    sampling = [twin.Bayesian(28, {"max_von_mises": "min"}, initial=10, seed=3), twin.Verification(5)]
    found = optimum(client, twin.Script(bar), pulled(), [reach, power], sampling, folder, "fillet")
    for name, asked in (("arc of a circle", (0.01, 2.0)), ("ellipse of the same reach", (0.02, 2.0))):
        path = folder / "bar.step"
        bar(*asked).WriteStep(str(path))
        found[name] = answer(client, path, pulled())
    nominal = {
        name: values["max_von_mises"][0] / NOMINAL for name, values in found.items() if name != "sweep"
    }
    return {**found, "Kt": nominal}


def bracketed(plate: float, upright: float, rib: float) -> Any:
    """The bracket of the examples, with these thicknesses [m]; its pin is as far above the floor as before."""
    return bracket.build(bracket.Bracket(thickness=1e3 * plate, upright=1e3 * upright, rib=1e3 * rib))


def held_by_its_pin() -> twin.StaticStress:
    bore = twin.select.cylinder("(0, 0, 40) mm", (0, 1, 0), "8.1 mm")
    return twin.StaticStress(
        "Ti-6Al-4V",
        [twin.Fixed(twin.select.plane((0, 0, 0), (0, 0, 1)))],
        [twin.Force((0, "12 kN", "12 kN"), bore)],
    )


def lighter(client: twin.Client, folder: Path) -> dict[str, Any]:
    """The least mass of brackets whose peak stress is not above that of the one there is."""
    path = folder / "bracket.step"
    bracket.build().WriteStep(str(path))
    before = answer(client, path, held_by_its_pin())
    parameters = [
        twin.Range("plate", "7 mm", "14 mm"),
        twin.Range("upright", "8 mm", "14 mm"),
        twin.Range("rib", "4 mm", "10 mm"),
    ]
    limit = f"max_von_mises < {before['max_von_mises'][0]:.4g}"
    # Previews of such small fillets are far off: what is verified first tells by how much, the search goes on by that.
    search = twin.Bayesian(24, {"mass": "min"}, [limit], initial=12, seed=5)
    sampling = [search, twin.Verification(2), search, twin.Verification(2), search, twin.Verification(3)]
    found = optimum(
        client, twin.Script(bracketed), held_by_its_pin(), parameters, sampling, folder, "bracket", [limit]
    )
    return {**found, "as it is": before, "limit": limit}


def answer(client: twin.Client, path: Path, study: twin.StaticStress) -> dict[str, Any]:
    """Mass and peak stress of a part, with their errors."""
    result = client.simulate(
        client.upload(path), study, accuracy=ACCURACY, discretisation="tet", quantities=["max_von_mises"]
    ).result()
    return {name: _both(result.quantities[name]) for name in ("mass", "max_von_mises")}


def optimum(
    client: twin.Client,
    part: twin.Script,
    study: twin.StaticStress,
    parameters: list[twin.Range],
    sampling: list[Any],
    folder: Path,
    name: str,
    limits: list[str] | None = None,
) -> dict[str, Any]:
    """The best of the designs that were verified."""
    begun = time.perf_counter()
    sweep = client.sweep(
        part, study, parameters, sampling, preview=PREVIEW, accuracy=ACCURACY, discretisation="tet",
        quantities=["max_von_mises"], name=name,
    )  # fmt: skip
    table = sweep.result()
    seconds = time.perf_counter() - begun
    sweep.report(folder / f"{name}.html")
    objective = next(iter(sampling[0].objectives))
    designs = [design for design in sweep.designs(["DONE"]) if not design.preview]
    stress = float("inf") if limits is None else float(limits[0].rpartition("<")[2])
    allowed = [each for each in designs if each.quantities["max_von_mises"].value <= stress]
    best = min(allowed, key=lambda each: float(each.quantities[objective].value))
    return {
        "found": {key: _both(best.quantities[key]) for key in ("mass", "max_von_mises")},
        "sweep": {
            "parameters": dict(best.parameters),
            "seconds": seconds,
            "previews": int(table["preview"].sum()),
            "verified": len(designs),
            "states": dict(zip(*map(list, np.unique(table["state"], return_counts=True)), strict=True)),
            "previewed": [
                float(table["max_von_mises"][row])
                for row in np.flatnonzero(table["preview"])
                if all(table[key][row] == value for key, value in best.parameters.items())
            ],
        },
    }


def _both(quantity: twin.Quantity) -> tuple[float, float]:
    return float(quantity.value), float(quantity.error)


PARTS: Final[dict[str, Callable[[twin.Client, Path], dict[str, Any]]]] = {
    "fillet": fillet,
    "bracket": lighter,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--reports", type=Path, help="folder for the reports of the sweeps")
    parser.add_argument("--out", type=Path, help="the raw figures, in place of the folder of results")
    options = parser.parse_args()
    report: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "command": machine.command("tests.benchmarks.structural_optima", None),
        "machine": machine.facts(),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) if options.reports is None else options.reports
        with twin.local(home=Path(name) / "home") as client:
            for part in options.parts:
                report[part] = PARTS[part](client, folder)
                print(part, json.dumps(report[part], indent=1, default=str), flush=True)
    out = options.out or RESULTS / f"{report['date']}-{machine.facts()['cores']}-cores-structural-optima.json"
    out.write_text(json.dumps(report, indent=1, default=str) + "\n")


if __name__ == "__main__":
    main()
