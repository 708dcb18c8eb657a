"""OFF (Geomview), ASCII and binary, with or without colours, normals and texture coordinates."""

from __future__ import annotations

import re

import numpy as np

from twin.errors import GeometryError
from twin.geometry.formats.polygons import triangulate
from twin.geometry.formats.soup import Float64, Int64, Soup

HEADER = re.compile(rb"\s*(?:#[^\n]*\n\s*)*(ST)?(C)?(N)?(4)?(n)?OFF\b")


def read(data: bytes) -> Soup:
    """Triangles of an OFF file. Raises GeometryError."""
    header = HEADER.match(data)
    if header is not None and (header.group(4) or header.group(5)):
        raise GeometryError(
            "The OFF file is not of three dimensions. Export the part as a plain OFF, or STL."
        )
    body = data[header.end() if header else 0 :]
    binary = re.match(rb"[ \t]*BINARY[^\n]*\n", body)
    if binary:
        if header is not None and any(header.groups()):
            raise GeometryError("The binary OFF file has colours or normals. Export it without them.")
        vertices, polygons = _read_binary(body[binary.end() :])
    else:
        vertices, polygons = _read_ascii(body)
    return _assemble(vertices, polygons)


def _read_ascii(body: bytes) -> tuple[Float64, list[Int64]]:
    lines = [words for line in body.splitlines() if (words := line.split(b"#", 1)[0].split())]
    if not lines:
        raise _damaged("it ends after its header")
    counts = _numbers(lines[0][:2], "its counts")
    if len(counts) < 2 or not all(0 <= count <= len(lines) for count in counts):
        raise _damaged(
            f"it says that it holds {_shown(lines[0])} vertices and faces, more than its lines can"
        )
    vertex_count, face_count = int(counts[0]), int(counts[1])
    rows, faces = lines[1 : 1 + vertex_count], lines[1 + vertex_count : 1 + vertex_count + face_count]
    if len(rows) < vertex_count or len(faces) < face_count:
        raise _damaged("it ends too early")
    if any(len(row) < 3 for row in rows):
        raise _damaged("a vertex has fewer than three coordinates")
    vertices = _numbers([word for row in rows for word in row[:3]], "a vertex").reshape(-1, 3)
    polygons: list[Int64] = []
    for words in faces:
        try:
            corners = np.array([int(word) for word in words[1 : 1 + int(words[0])]], dtype=np.int64)
        except (ValueError, OverflowError) as error:
            raise _damaged(f"a face reads '{_shown(words)}'") from error
        if len(corners) != int(words[0]):
            raise _damaged(f"a face reads '{_shown(words)}', fewer corners than it says")
        polygons.append(corners)
    return vertices, polygons


def _read_binary(body: bytes) -> tuple[Float64, list[Int64]]:
    """Everything is big-endian and four bytes wide."""
    if len(body) < 12:
        raise _damaged("it ends after its header")
    vertex_count, face_count, _ = np.frombuffer(body, dtype=">i4", count=3).tolist()
    start = 12 + 12 * max(vertex_count, 0)
    if vertex_count < 0 or face_count < 0 or start + 8 * face_count > len(body):
        raise _damaged(f"it says that it holds {vertex_count} vertices and {face_count} faces, which its "
                       f"{len(body)} bytes can't")  # fmt: skip
    vertices = np.frombuffer(body, dtype=">f4", count=3 * vertex_count, offset=12).astype(np.float64)
    words = np.frombuffer(body, dtype=">i4", offset=start, count=(len(body) - start) // 4).astype(np.int64)
    polygons: list[Int64] = []
    at = 0
    for _ in range(face_count):
        corners = int(words[at]) if at < len(words) else -1
        colours = at + 1 + corners
        if corners < 0 or colours >= len(words) or not 0 <= words[colours] <= 4:
            raise _damaged("a face has an impossible length")
        polygons.append(words[at + 1 : colours])
        at = colours + 1 + int(words[colours])
    return vertices.reshape(-1, 3), polygons


def _assemble(vertices: Float64, polygons: list[Int64]) -> Soup:
    if not any(len(polygon) >= 3 for polygon in polygons):
        raise GeometryError("The OFF file holds no faces, so it describes no part. Export it as a mesh.")
    named = np.concatenate(polygons)
    if named.min() < 0 or named.max() >= len(vertices):
        raise _damaged(f"a face names a vertex outside of the {len(vertices)} that it has")
    try:
        triangles, counts = triangulate(vertices, polygons)
    except ValueError as error:
        raise GeometryError(f"OFF: {error}, more than can be cut into triangles.") from error
    skipped = int((counts == 0).sum())
    warnings = (f"{skipped} faces with fewer than three corners were left out",) if skipped else ()
    return Soup(vertices, triangles, warnings=warnings)


def _numbers(words: list[bytes], what: str) -> Float64:
    try:
        return np.array(words, dtype="S").astype(np.float64)
    except ValueError as error:
        raise _damaged(f"{what} is not made of numbers") from error


def _shown(words: list[bytes]) -> str:
    return b" ".join(words[:4]).decode(errors="replace")[:40]


def _damaged(why: str) -> GeometryError:
    return GeometryError(f"The OFF file is damaged: {why}. Export the part again.")
