"""Wavefront OBJ: vertices and faces only. Materials and textures, which are other files, are never looked
at.
"""

from __future__ import annotations

import numpy as np

from twin.errors import GeometryError
from twin.geometry.formats.polygons import triangulate
from twin.geometry.formats.soup import Float64, Soup


def read(data: bytes) -> Soup:
    """Triangles of an OBJ file; its objects (o) and groups (g) become groups. Raises GeometryError."""
    text = data.decode("utf-8", errors="replace").replace("\\\n", " ").replace("\\\r\n", " ")
    points: list[tuple[float, float, float]] = []
    polygons: list[list[int]] = []
    names: list[tuple[str, ...]] = []
    current: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        key = words[0]
        if key == "v":
            points.append(_point(words, number))
        elif key == "f":
            polygons.append([_index(word, len(points), number) for word in words[1:]])
            names.append(current)
        elif key in ("g", "o"):
            current = tuple(name for name in words[1:] if name not in ("default", "off"))
    if not polygons:
        raise GeometryError(
            "The OBJ file holds no faces, so it describes no part. Export the part as a mesh."
        )
    return _assemble(np.array(points, dtype=np.float64).reshape(-1, 3), polygons, names)


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


def _assemble(vertices: Float64, polygons: list[list[int]], names: list[tuple[str, ...]]) -> Soup:
    triangles: list[tuple[int, int, int]] = []
    groups: dict[str, list[int]] = {}
    skipped = 0
    for polygon, belongs in zip(polygons, names, strict=True):
        if polygon and max(polygon) >= len(vertices):
            raise GeometryError(
                f"A face of the OBJ file names vertex {max(polygon) + 1}, but there are {len(vertices)}. "
                f"The file is damaged or was cut off; export the part again."
            )
        if len(polygon) < 3:
            skipped += 1
            continue
        try:
            cut = [(0, 1, 2)] if len(polygon) == 3 else triangulate(vertices[polygon])
        except ValueError as error:
            raise GeometryError(f"OBJ: {error}, more than can be cut into triangles.") from error
        for name in belongs:
            groups.setdefault(name, []).extend(range(len(triangles), len(triangles) + len(cut)))
        triangles.extend((polygon[a], polygon[b], polygon[c]) for a, b, c in cut)
    warnings = (f"{skipped} faces with fewer than three corners were left out",) if skipped else ()
    if not triangles:
        raise GeometryError("No face of the OBJ file has three corners.")
    return Soup(
        vertices,
        np.array(triangles, dtype=np.int64),
        {name: np.array(ids, dtype=np.int64) for name, ids in groups.items()},
        warnings=warnings,
    )
