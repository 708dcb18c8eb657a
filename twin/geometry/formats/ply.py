"""PLY, ASCII and binary of both byte orders. Every count is checked against the bytes that are there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.errors import GeometryError
from twin.geometry.formats.polygons import triangulate
from twin.geometry.formats.soup import Float64, Int64, Soup

_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_FACE_LISTS = ("vertex_indices", "vertex_index")
_MOST_ALIKE = 16  # corners of faces that are read as a table


@dataclass(frozen=True)
class _Property:
    name: str
    kind: str
    count_kind: str | None  # of a list

    def smallest(self, order: str) -> int:
        """Bytes that it takes at least."""
        if not order:
            return 2
        return np.dtype(self.count_kind or self.kind).itemsize


@dataclass(frozen=True)
class _Element:
    name: str
    count: int
    properties: tuple[_Property, ...]


def read(data: bytes) -> Soup:
    """Triangles of a PLY file. Raises GeometryError."""
    order, elements, offset = _read_header(data)
    body: _Body = _AsciiBody(data[offset:]) if not order else _BinaryBody(data[offset:], order)
    vertices: Float64 | None = None
    polygons: list[Int64] | Int64 | None = None
    for element in elements:
        smallest = sum(p.smallest(order) for p in element.properties)
        if element.count * smallest > body.left() + 2:
            raise _damaged(
                f"it says that it holds {element.count} x '{element.name}', more than its bytes can"
            )
        if element.name == "vertex":
            vertices = _vertices(body, element)
        elif element.name == "face":
            polygons = _polygons(body, element)
        else:
            _skip(body, element)
    if vertices is None or polygons is None or len(polygons) == 0:
        raise GeometryError("The PLY file holds no faces, only points or nothing. Export the part as a mesh.")
    return _assemble(vertices, polygons)


def _read_header(data: bytes) -> tuple[str, list[_Element], int]:
    end = data.find(b"end_header", 0, 1 << 20)
    if data[:3] != b"ply" or end < 0:
        raise GeometryError("This is not a PLY file: it lacks the header. Export the part again.")
    newline = data.find(b"\n", end)
    if newline < 0:
        raise GeometryError("The PLY file has a header only and holds no faces.")
    order: str | None = None
    elements: list[_Element] = []
    for line in data[:end].decode("ascii", errors="replace").splitlines():
        words = line.split()
        match words:
            case ["format", name, *_]:
                order = _ORDERS.get(name)
            case ["element", name, count]:
                if not count.isdigit() or len(count) > 12:
                    raise _damaged(f"its count of '{name}' is {count[:20]}")
                elements.append(_Element(name, int(count), ()))
            case ["property", "list", count_kind, kind, name] if elements:
                elements[-1] = _with(elements[-1], _Property(name, _type(kind), _type(count_kind)))
            case ["property", kind, name] if elements:
                elements[-1] = _with(elements[-1], _Property(name, _type(kind), None))
            case _:
                continue
    if order is None:
        raise _damaged("its header names no known format")
    return order, elements, newline + 1


def _with(element: _Element, added: _Property) -> _Element:
    return _Element(element.name, element.count, (*element.properties, added))


def _type(name: str) -> str:
    if name not in _TYPES:
        raise _damaged(f"its header has the unknown type '{name[:20]}'")
    return _TYPES[name]


def _damaged(why: str) -> GeometryError:
    return GeometryError(f"The PLY file is damaged: {why}. Export the part again.")


class _BinaryBody:
    def __init__(self, data: bytes, order: str) -> None:
        self._data, self._order, self.at = data, order, 0

    def left(self) -> int:
        return len(self._data) - self.at

    def table(self, dtype: list[tuple[str, str]], count: int) -> NDArray[np.void]:
        """Rows of fixed width."""
        kind = np.dtype([(name, self._order + code) for name, code in dtype])
        if count * kind.itemsize > self.left():
            raise _damaged("it ends too early")
        rows = np.frombuffer(self._data, dtype=kind, count=count, offset=self.at)
        self.at += count * kind.itemsize
        return rows

    def values(self, code: str, count: int) -> NDArray[np.generic]:
        return self.table([("value", code)], count)["value"]


class _AsciiBody:
    def __init__(self, data: bytes) -> None:
        self._words, self.at = data.split(), 0

    def left(self) -> int:
        return 2 * (len(self._words) - self.at)

    def table(self, dtype: list[tuple[str, str]], count: int) -> NDArray[np.void]:
        width = len(dtype)
        words = self._words[self.at : self.at + count * width]
        if len(words) < count * width:
            raise _damaged("it ends too early")
        self.at += count * width
        try:
            numbers = np.array(words, dtype="S").astype(np.float64).reshape(count, width)
        except ValueError as error:
            raise _damaged("it has words where numbers should be") from error
        rows = np.zeros(count, dtype=[(name, "f8") for name, _ in dtype])
        for column, (name, _) in enumerate(dtype):
            rows[name] = numbers[:, column]
        return rows

    def values(self, code: str, count: int) -> NDArray[np.generic]:
        return self.table([("value", code)], count)["value"]


_Body = _BinaryBody | _AsciiBody


def _peek(body: _Body, dtype: list[tuple[str, str]], count: int) -> NDArray[np.void] | None:
    """Rows of fixed width, if there are so many; nothing is consumed."""
    at = body.at
    try:
        return body.table(dtype, count)
    except GeometryError:
        return None
    finally:
        body.at = at


def _skip(body: _Body, element: _Element) -> None:
    if all(p.count_kind is None for p in element.properties):
        if element.properties:
            body.table([(p.name, p.kind) for p in element.properties], element.count)
        return
    for _ in range(element.count):
        for item in element.properties:
            _read_item(body, item)


def _read_item(body: _Body, item: _Property) -> NDArray[np.generic]:
    if item.count_kind is None:
        return body.values(item.kind, 1)
    count = float(body.values(item.count_kind, 1)[0])
    if not 0 <= count <= body.left():
        raise _damaged("a list has an impossible length")
    return body.values(item.kind, int(count))


def _vertices(body: _Body, element: _Element) -> Float64:
    names = [p.name for p in element.properties]
    if not {"x", "y", "z"} <= set(names) or len(set(names)) != len(names):
        raise _damaged("its vertices have no x, y and z")
    if any(p.count_kind for p in element.properties):
        rows = [{p.name: _read_item(body, p) for p in element.properties} for _ in range(element.count)]
        return np.array([[float(row[c][0]) for c in "xyz"] for row in rows], dtype=np.float64).reshape(-1, 3)
    table = body.table([(p.name, p.kind) for p in element.properties], element.count)
    return np.stack([table[c].astype(np.float64) for c in "xyz"], axis=1)


def _polygons(body: _Body, element: _Element) -> list[Int64] | Int64:
    """(m, k) where all faces have as many corners as the first one, which is fast; else a list of polygons."""
    chosen = next((p for p in element.properties if p.name in _FACE_LISTS and p.count_kind), None)
    if chosen is None:
        raise _damaged("its faces name no vertices")
    corners = 0
    if element.count and sum(p.count_kind is not None for p in element.properties) == 1:
        corners = _first_count(body, element, chosen)
    if 0 < corners <= _MOST_ALIKE:
        layout: list[tuple[str, str]] = []
        for p in element.properties:
            if p is chosen:
                layout += [("#", p.count_kind or ""), *((f"#{i}", p.kind) for i in range(corners))]
            else:
                layout.append((p.name, p.kind))
        rows = _peek(body, layout, element.count)
        if rows is not None and (rows["#"] == corners).all():
            body.table(layout, element.count)
            return np.stack([rows[f"#{i}"].astype(np.int64) for i in range(corners)], axis=1)
    polygons: list[Int64] = []
    for _ in range(element.count):
        for p in element.properties:
            values = _read_item(body, p)
            if p is chosen:
                polygons.append(values.astype(np.int64))
    return polygons


def _first_count(body: _Body, element: _Element, chosen: _Property) -> int:
    """Corners of the first face, at least 3; nothing is consumed."""
    at = body.at
    for p in element.properties[: element.properties.index(chosen)]:
        _read_item(body, p)
    count = len(_read_item(body, chosen))
    body.at = at
    return max(count, 3)


def _assemble(vertices: Float64, polygons: list[Int64] | Int64) -> Soup:
    named = np.concatenate([np.zeros(0, np.int64), *polygons]) if isinstance(polygons, list) else polygons
    if named.size and (named.min() < 0 or named.max() >= len(vertices)):
        raise _damaged(f"a face names a vertex outside of the {len(vertices)} that it has")
    try:
        triangles, counts = triangulate(vertices, polygons)
    except ValueError as error:
        raise GeometryError(f"PLY: {error}, more than can be cut into triangles.") from error
    if len(triangles) == 0:
        raise GeometryError("No face of the PLY file has three corners.")
    skipped = int((counts == 0).sum())
    warnings = (f"{skipped} faces with fewer than three corners were left out",) if skipped else ()
    return Soup(vertices, triangles, warnings=warnings)
