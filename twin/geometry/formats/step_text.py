"""What the text of a STEP file says beside its shapes: the unit of length, and names of faces and solids."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from twin.units import LENGTH_UNITS

_ENTITY = re.compile(rb"#(\d+)\s*=\s*((?:[^';]++|'[^']*')*+);")
_COMMENT = re.compile(rb"/\*.*?\*/", re.DOTALL)
_HEAD = re.compile(rb"\s*([A-Z0-9_]+)\s*\(\s*(?:'((?:[^']|'')*)')?")
_REFERENCE = re.compile(rb"#(\d+)")
_NUMBER = re.compile(rb"[-+]?\d+\.?\d*(?:[Ee][-+]?\d+)?")
_SI_PREFIX = {
    "": 1.0, ".NANO.": 1e-9, ".MICRO.": 1e-6, ".MILLI.": 1e-3, ".CENTI.": 1e-2, ".DECI.": 0.1, ".KILO.": 1e3,
}  # fmt: skip
_SOLIDS = (b"MANIFOLD_SOLID_BREP", b"BREP_WITH_VOIDS", b"FACETED_BREP", b"SHELL_BASED_SURFACE_MODEL")
_SHELLS = (b"CLOSED_SHELL", b"OPEN_SHELL")
_FACES = (b"ADVANCED_FACE", b"FACE_SURFACE")
_KINDS = {
    b"PLANE": "plane",
    b"CYLINDRICAL_SURFACE": "cylinder",
    b"CONICAL_SURFACE": "cone",
    b"SPHERICAL_SURFACE": "sphere",
    b"TOROIDAL_SURFACE": "torus",
}


@dataclass(frozen=True)
class Face:
    """name; kind: plane, cylinder, cone, sphere, torus or None; origin: of its surface, in the file's unit."""

    name: str
    kind: str | None
    origin: tuple[float, ...] | None
    solid: int  # of its shape


@dataclass(frozen=True)
class Shape:
    """The faces of a representation, in the order of the file, and the names of its solids."""

    faces: tuple[Face, ...]
    solids: tuple[str, ...]


class StepText:
    """The entities of a STEP file."""

    def __init__(self, data: bytes) -> None:
        text = _COMMENT.sub(b" ", data) if b"/*" in data else data
        self._entities = {int(number): body for number, body in _ENTITY.findall(text)}

    def shapes(self) -> list[Shape]:
        """All representations that have solids or shells."""
        return [shape for body in self._entities.values() if (shape := self._shape(body)) is not None]

    def unit(self) -> tuple[str, tuple[str, ...]]:
        """Name of the length unit that the file's shapes are given in, and warnings."""
        lengths = self._lengths()
        if not lengths:
            return "mm", ("the STEP file names no length unit; mm was assumed",)
        names = [_name(metres) for metres in lengths]
        if len(names) > 1:
            return names[0], (f"the STEP file mixes the units {', '.join(names)}; each was converted",)
        return names[0], ()

    def metres(self) -> list[float]:
        """Metres per unit of length; several where units are mixed."""
        return self._lengths() or [1e-3]

    def _lengths(self) -> list[float]:
        lengths: set[float] = set()
        for body in self._entities.values():
            match = re.search(rb"GLOBAL_UNIT_ASSIGNED_CONTEXT\s*\(\s*\(([^)]*)\)", body)
            for reference in _REFERENCE.findall(match.group(1)) if match else []:
                metres = _metres(self._entities, int(reference))
                if metres is not None:
                    lengths.add(metres)
        return sorted(lengths)

    def _shape(self, body: bytes) -> Shape | None:
        if b"SHAPE_REPRESENTATION" not in body[:80]:
            return None
        head = _HEAD.match(body)
        if head is None or not head.group(1).endswith(b"SHAPE_REPRESENTATION"):
            return None
        faces: list[Face] = []
        solids: list[str] = []
        for item in _REFERENCE.findall(body):
            kind, name, rest = self._entity(item)
            if kind in _SOLIDS:
                faces += self._faces(rest, len(solids))
                solids.append(name)
        return Shape(tuple(faces), tuple(solids)) if faces else None

    def _faces(self, body: bytes, solid: int) -> Iterator[Face]:
        for reference in _REFERENCE.findall(body):
            kind, _, shell = self._entity(reference)
            if kind == b"ORIENTED_CLOSED_SHELL":
                inner = _REFERENCE.findall(shell)
                kind, _, shell = self._entity(inner[0]) if inner else (b"", "", b"")
            if kind not in _SHELLS:
                continue
            for member in _REFERENCE.findall(shell):
                kind, name, face = self._entity(member)
                references = _REFERENCE.findall(face)
                if kind in _FACES and references:
                    yield Face(name, *self._surface(references[-1]), solid)

    def _surface(self, reference: bytes) -> tuple[str | None, tuple[float, ...] | None]:
        kind, _, body = self._entity(reference)
        if kind not in _KINDS:
            return None, None
        points = _REFERENCE.findall(self._entity(_first(body))[2])
        return _KINDS[kind], _numbers(self._entity(points[0])[2]) if points else None

    def _entity(self, reference: bytes) -> tuple[bytes, str, bytes]:
        """Type, name and the rest of an entity; nothing of one that is missing or made of several."""
        body = self._entities.get(int(reference), b"") if len(reference) < 12 else b""
        head = _HEAD.match(body)
        if head is None:
            return b"", "", b""
        return head.group(1), _decoded(head.group(2) or b""), body[head.end() :]


def _first(body: bytes) -> bytes:
    found = _REFERENCE.search(body)
    return found.group(1) if found else b"0"


def _numbers(body: bytes) -> tuple[float, ...] | None:
    found = _NUMBER.findall(body)
    return tuple(float(number) for number in found) if len(found) == 3 else None


def _decoded(name: bytes) -> str:
    """A string of ISO 10303-21: quotes are doubled, other letters than ASCII written as hexadecimals."""

    def wide(match: re.Match[str]) -> str:
        kind, digits = match.group(1), match.group(2)
        return bytes.fromhex(digits).decode("utf-16-be" if kind == "2" else "utf-32-be", errors="replace")

    text = name.replace(b"''", b"'").decode("utf-8", errors="replace")
    text = re.sub(r"\\X([24])\\((?:[0-9A-Fa-f]{4})+)\\X0\\", wide, text)
    text = re.sub(r"\\X\\([0-9A-Fa-f]{2})", lambda match: chr(int(match.group(1), 16)), text)
    text = re.sub(r"\\S\\(.)", lambda match: chr(ord(match.group(1)) + 128), text)
    return text.replace("\\\\", "\\")


def _metres(entities: Mapping[int, bytes], number: int, depth: int = 0) -> float | None:
    """Metres per unit if entity `number` is a unit of length."""
    body = re.sub(rb"\s+", b"", entities.get(number, b""))
    if b"LENGTH_UNIT()" not in body or depth > 4:
        return None
    if match := re.search(rb"SI_UNIT\(([^,)]*),\.METRE\.\)", body):
        return _SI_PREFIX.get(match.group(1).decode().replace("$", ""))
    if match := re.search(rb"CONVERSION_BASED_UNIT\('[^']*',#(\d+)\)", body):
        measure = re.sub(rb"\s+", b"", entities.get(int(match.group(1)), b""))
        factor = re.search(rb"LENGTH_MEASURE\(([^)]*)\),#(\d+)", measure)
        base = _metres(entities, int(factor.group(2)), depth + 1) if factor else None
        if factor and base is not None:
            return float(factor.group(1)) * base
    return None


def _name(metres: float) -> str:
    for name, value in LENGTH_UNITS.items():
        if abs(value - metres) < 1e-6 * value:
            return name
    return f"{metres:g} m"
