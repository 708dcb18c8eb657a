"""STEP files of exact shapes, written in a process of its own: two copies of Open CASCADE don't share one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SHAPES = {
    "sphere": "occ.Sphere(occ.Pnt(30, 0, 0), 10.0)",
    "cylinder": "occ.Cylinder(occ.Pnt(0, 0, 0), occ.Z, r=10.0, h=30.0)",
    "bored": "occ.Box(occ.Pnt(-20, -20, 0), occ.Pnt(20, 20, 10))"
    " - occ.Cylinder(occ.Pnt(0, 0, -1), occ.Z, r=8.0, h=12.0)",
}
"""Lengths in mm."""


def write_step_files(folder: Path) -> dict[str, Path]:
    """One file for each of SHAPES."""
    paths = {name: folder / f"{name}.step" for name in SHAPES}
    lines = [f"({shape}).WriteStep({str(paths[name])!r})" for name, shape in SHAPES.items()]
    code = "\n".join(["import netgen.occ as occ", *lines])
    subprocess.run([sys.executable, "-c", code], check=True, cwd=folder, timeout=120)
    return paths
