"""Wavefront OBJ: vertices and faces only. Materials and textures, which are other files, are never looked
at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from twin.errors import GeometryError
from twin.geometry.formats.names import Names
from twin.geometry.formats.polygons import triangulate
from twin.geometry.formats.soup import Float64, Int64, Soup


@dataclass(frozen=True)
class _Belongs:
    """What the faces that follow belong to."""

    thing: str = ""
    groups: tuple[str, ...] = ()
    material: str = ""

    def changed(self, key: str, words: list[str]) -> _Belongs:
        """After a line of o, g or usemtl."""
        if key == "o":
            return replace(self, thing=" ".join(words))
        if key == "g":
            return replace(self, groups=tuple(name for name in words if name != "off"))
        return replace(self, material=" ".join(words))


def read(data: bytes) -> Soup:
    """Triangles of an OBJ file. Raises GeometryError.

    Its objects (o) and groups (g; a face may be in several) become groups; its materials (usemtl) too where
    there are several.
    """
    text = data.decode("utf-8", errors="replace").replace("\\\n", " ").replace("\\\r\n", " ")
    points: list[tuple[float, float, float]] = []
    polygons: list[list[int]] = []
    sections = [(0, _Belongs())]  # the first polygon of each, and what it and the following ones belong to
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        key = words[0]
        if key == "v":
            points.append(_point(words, number))
        elif key == "f":
            polygons.append([_index(word, len(points), number) for word in words[1:]])
        elif key in ("g", "o", "usemtl"):
            sections.append((len(polygons), sections[-1][1].changed(key, words[1:])))
    if not polygons:
        raise GeometryError(
            "The OBJ file holds no faces, so it describes no part. Export the part as a mesh."
        )
    return _assemble(np.array(points, dtype=np.float64).reshape(-1, 3), polygons, sections)


def _point(words: list[str], number: int) -> tuple[float, float, float]:
    try:
        return float(words[1]), float(words[2]), float(words[3])
    except (ValueError, IndexError) as error:
        raise GeometryError(f"Line {number} of the OBJ file is no vertex of three numbers.") from error


def _index(word: str, count: int, number: int) -> int:
    """Zero-based; negative ones count back from the last vertex so far. Forward references are checked
    later.
    """
    try:
        index = int(word.split("/", 1)[0])
    except ValueError as error:
        raise GeometryError(f"Line {number} of the OBJ file: '{word[:40]}' names no vertex.") from error
    if index == 0 or index < -count or index > 1 << 31:
        raise GeometryError(
            f"Line {number} of the OBJ file names vertex {index}, which can't be: there are {count} so far "
            f"and counting begins at 1. The file is damaged; export the part again."
        )
    return index - 1 if index > 0 else count + index


def _assemble(vertices: Float64, polygons: list[list[int]], sections: list[tuple[int, _Belongs]]) -> Soup:
    last = max((max(polygon) for polygon in polygons if polygon), default=-1)
    if last >= len(vertices):
        raise GeometryError(
            f"A face of the OBJ file names vertex {last + 1}, but there are {len(vertices)}. "
            f"The file is damaged or was cut off; export the part again."
        )
    try:
        triangles, counts = triangulate(vertices, polygons)
    except ValueError as error:
        raise GeometryError(f"OBJ: {error}, more than can be cut into triangles.") from error
    if len(triangles) == 0:
        raise GeometryError("No face of the OBJ file has three corners.")
    skipped = int((counts == 0).sum())
    warnings = (f"{skipped} faces with fewer than three corners were left out",) if skipped else ()
    groups, told = _groups(np.concatenate([[0], np.cumsum(counts)]), sections)
    return Soup(vertices, triangles, groups, warnings=(*warnings, *told))


def _groups(
    first_triangle: Int64, sections: list[tuple[int, _Belongs]]
) -> tuple[Mapping[str, Int64], tuple[str, ...]]:
    names = Names()
    ends = [*(first for first, _ in sections[1:]), len(first_triangle) - 1]
    parts = [
        (belongs, np.arange(first_triangle[first], first_triangle[end]))
        for (first, belongs), end in zip(sections, ends, strict=True)
        if end > first
    ]
    several_materials = len({belongs.material for belongs, _ in parts}) > 1
    for belongs, triangles in parts:
        for name in (belongs.thing, *belongs.groups, *([belongs.material] if several_materials else [])):
            names.add(name, triangles)
    return names.groups()
