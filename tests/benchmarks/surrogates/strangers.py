"""Parts that are no brackets of the family: plain solids of all sizes, and the jet-engine brackets of SimJEB."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import trimesh

import twin
from tests.corpus import brackets
from twin.errors import TwinError
from twin.geometry.parse import parse
from twin.geometry.surface import Report, Surface

Stranger = tuple[str, Surface, Report, twin.StaticStress]


def plain() -> Iterator[Stranger]:
    """Held at the bottom, pulled at the top."""
    with tempfile.TemporaryDirectory() as folder:
        for name, path, study in files(Path(folder)):
            yield name, *parse(path, "mm", path.name), study


def files(folder: Path) -> Iterator[tuple[str, Path, twin.StaticStress]]:
    """Plain solids as files [mm], and what is asked of them."""
    random = np.random.default_rng(0)
    for number in range(12):
        x, y, z = random.uniform(20, 120, 3)
        radius = random.uniform(10, 40)
        solids = {
            "box": trimesh.creation.box((x, y, z)),
            "cylinder": trimesh.creation.cylinder(radius, z, sections=48),
            "tube": trimesh.creation.annulus(0.6 * radius, radius, z, sections=48),
        }
        for kind, solid in solids.items():
            solid.apply_translation([0, 0, z / 2])
            path = folder / f"{kind}-{number}.stl"
            solid.export(path)
            bottom, top = (twin.select.plane((0, 0, 1e-3 * height), (0, 0, 1)) for height in (0, z))
            pull = twin.Force((0, 0, "1 kN"), top)
            yield f"{kind} {number}", path, twin.StaticStress("Ti-6Al-4V", [twin.Fixed(bottom)], [pull])


def simjeb() -> Iterator[Stranger]:
    """Bolted down, pulled at the clevis; none where the data are not there."""
    if not brackets.DATA.is_dir():
        return
    for number in brackets.bracket_ids():
        try:
            ply = brackets.surface_file(number)
            study = brackets.study(brackets.interface(ply))
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "part.ply"
                path.write_bytes(ply)
                yield f"SimJEB {number}", *parse(path, "mm", path.name), study
        except (brackets.NoInterfaceError, TwinError):
            continue
