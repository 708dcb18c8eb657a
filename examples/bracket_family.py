"""Teach a network the brackets of bracket.py, of all sizes: sweep, train, ask.

    python -m examples.bracket_family [--designs 240] [--networks 3] [--steps 6000] [--save FILE] [--server ADDRESS]

Each bracket is held on its underside and pulled at its pin along x, y and z, a load case each; what is learned answers
any force on the pin. A design takes half a minute on two cores, the training half an hour. Killed, it goes on where it
was.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

import twin
from examples import bracket

NAME: Final = "bracket-family"
RANGES: Final = {
    "length": ("80 mm", "120 mm"),
    "thickness": ("8 mm", "14 mm"),
    "pin_height": ("34 mm", "48 mm"),
    "pin_radius": ("6 mm", "9 mm"),
    "upright": ("9 mm", "15 mm"),
    "eye": ("17 mm", "22 mm"),
    "rib": ("5 mm", "8 mm"),
    "rib_length": ("12 mm", "19 mm"),
    "rib_top": ("12 mm", "20 mm"),
    "fillet": ("2 mm", "4 mm"),
}
REACH: Final = 0.0295  # m, of the ribs and their fillets: the plate ends half a millimetre further


def build(
    length: float,
    thickness: float,
    pin_height: float,
    pin_radius: float,
    upright: float,
    eye: float,
    rib: float,
    rib_length: float,
    rib_top: float,
    fillet: float,
) -> Any:
    """A bracket as an OCC shape, of sizes in m; its ribs stand below the sides of its eye."""
    of = {name: 1e3 * size for name, size in locals().items()}
    return bracket.build(bracket.Bracket(**of, rib_distance=of["eye"] - of["rib"] / 2 - 5.0))


def pulled(pin_height: Any, pin_radius: Any) -> twin.StaticStress:
    """Held on the underside, 1 kN on the pin along each axis."""
    pin = twin.select.cylinder((0, 0, pin_height), (0, 1, 0), pin_radius + 1e-4)
    forces = {"x": ("1 kN", 0, 0), "y": (0, "1 kN", 0), "z": (0, 0, "1 kN")}
    return twin.StaticStress(
        "Ti-6Al-4V",
        [twin.Fixed(twin.select.plane((0, 0, 0), (0, 0, 1)))],
        load_cases={name: [twin.Force(force, pin)] for name, force in forces.items()},
    )


def swept(client: twin.Client, designs: int) -> twin.Sweep:
    """So many brackets, drawn evenly: a sweep that was begun goes on, with more designs where it had fewer."""
    script = twin.Script(build)
    for begun in client.sweeps():
        if begun.display_name == NAME:
            sweep = client.find_sweep(begun.name, script)
            if (missing := designs - begun.counts.designs) > 0:
                sweep.extend(missing)
            return sweep
    ranges = {name: twin.Range(name, *ends) for name, ends in RANGES.items()}
    return client.sweep(
        script,
        pulled(ranges["pin_height"], ranges["pin_radius"]),
        list(ranges.values()),
        twin.Sobol(designs, seed=5),
        constraints=[f"upright / 2 + rib_length + fillet < {REACH}"],
        accuracy=0.5,  # of the first mesh: networks are further off than that
        max_unknowns=150_000,
        discretisation="tet",
        method="solver",
        keep_fields=True,
        name=NAME,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--designs", type=int, default=240)
    parser.add_argument("--networks", type=int, default=3)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--save", type=Path, help="file that the surrogate is written to (.npz)")
    parser.add_argument("--server", help="host:port; an embedded one if not given")
    asked = parser.parse_args()
    with twin.connect(asked.server) if asked.server else twin.local() as client:
        sweep = swept(client, asked.designs)
        for ended in sweep.watch():
            if ended.design is not None and (ended.counts.ended % 10 == 0 or ended.design.state != "DONE"):
                print(f"{ended.counts.ended} of {ended.counts.designs}: {ended.design.state}", flush=True)
        training = client.train(NAME, sweep, networks=asked.networks, steps=asked.steps, name=NAME)
        for update in training.watch():
            print(f"{update.progress:.0%} {update.message}", flush=True)
        surrogate = training.surrogate()
        print(surrogate.card)
        if asked.save is not None:
            surrogate.save(asked.save)


if __name__ == "__main__":
    main()
