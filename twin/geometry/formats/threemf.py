"""3MF: a zip archive of XML. No DTD, no entity and no file outside the archive is ever looked at."""

from __future__ import annotations

import io
import lzma
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

import numpy as np

from twin.errors import GeometryError
from twin.geometry.formats.inflate import inflated_limit, too_large
from twin.geometry.formats.names import Names
from twin.geometry.formats.soup import Float64, Int64, Soup
from twin.units import length_unit

_UNITS = {
    "micron": "um", "millimeter": "mm", "centimeter": "cm", "inch": "in", "foot": "ft", "meter": "m"
}  # fmt: skip
_CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
_PRODUCTION = "http://schemas.microsoft.com/3dmanufacturing/production/2015/06"
_MODEL_RELATION = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"
_NO_ZIP = (  # what zipfile raises for archives that lie
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, NotImplementedError, RuntimeError, EOFError,
    OSError, ValueError,
)  # fmt: skip
_NO_PARTS = ("support", "solidsupport")
_MOST_INSTANCES = 100_000
_MOST_TRIANGLES = 20_000_000


@dataclass
class _Placed:
    """A use of an object: in the build, or as a component of another."""

    path: str
    object_id: str
    place: Float64
    name: str | None = None


@dataclass(frozen=True)
class _Pending:
    """An object that is still to be unfolded: what is below it stands in the unit of `within`."""

    of: tuple[str, str]
    place: Float64
    within: str
    called: tuple[str | None, ...]
    above: tuple[tuple[str, str], ...]


@dataclass
class _Object:
    name: str | None
    number: str | None
    kind: str
    vertices: list[float] = field(default_factory=list)
    triangles: list[int] = field(default_factory=list)
    components: list[_Placed] = field(default_factory=list)


@dataclass
class _Model:
    """One .model file of the archive."""

    path: str
    unit: str = "mm"
    objects: dict[str, _Object] = field(default_factory=dict)
    build: list[_Placed] = field(default_factory=list)

    @property
    def metres(self) -> float:
        """Metres per unit."""
        return length_unit(self.unit)


def read(data: bytes) -> Soup:
    """Triangles of all items of the build, in metres. Names and part numbers become groups. Raises
    GeometryError.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _Package(archive, len(data)).soup()
    except _NO_ZIP as error:
        raise _damaged("its archive can't be unpacked") from error


class _Package:
    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self._archive = archive
        self._left = self._limit = inflated_limit(size)
        self._names = {name.lower(): name for name in archive.namelist()}
        self._models: dict[str, _Model] = {}
        self._supports = 0

    def soup(self) -> Soup:
        root = self._model(self._root())
        vertices: list[Float64] = []
        triangles: list[Int64] = []
        parts: list[Int64] = []
        names, warnings = Names(), []
        points, count = 0, 0
        build = root.build
        if not build:
            build = [_Placed(root.path, key, np.eye(4)) for key, o in root.objects.items() if o.triangles]
            warnings.append("the 3MF file has no build: all of its objects were taken")
        instances = 0
        for item in build:
            first = count
            for solid, place, called in self._solids(item, root.path):
                instances += 1
                corners = np.array(solid.vertices, dtype=np.float64).reshape(-1, 3)
                found = np.array(solid.triangles, dtype=np.int64).reshape(-1, 3)
                if instances > _MOST_INSTANCES or count + len(found) > _MOST_TRIANGLES:
                    raise GeometryError(
                        f"The 3MF file has more than {_MOST_TRIANGLES} triangles or {_MOST_INSTANCES} objects. "
                        f"Export it coarser."
                    )
                if len(found) and not (found.min() >= 0 and found.max() < len(corners)):
                    raise _damaged(f"a triangle names a vertex outside of the {len(corners)} of its object")
                if np.linalg.det(place[:3, :3]) < 0:
                    found = found[:, ::-1]
                vertices.append(corners @ place[:3, :3].T + place[:3, 3])
                triangles.append(found + points)
                parts.append(np.full(len(found), len(parts)))
                for name in called:
                    names.add(name, np.arange(count, count + len(found)))
                points, count = points + len(corners), count + len(found)
            names.add(item.name, np.arange(first, count))
        if count == 0:
            raise GeometryError("The 3MF file holds no triangles in its build. Export the part as a solid.")
        if self._supports:
            warnings.append(f"{self._supports} supports of the print, which belong to no part, were left out")
        groups, told = names.groups()
        return Soup(
            np.concatenate(vertices),
            np.concatenate(triangles),
            groups,
            unit=root.unit,
            scale=1.0,
            warnings=(*warnings, *told),
            part=np.concatenate(parts),
        )

    def _solids(
        self, item: _Placed, within: str
    ) -> Iterator[tuple[_Object, Float64, tuple[str | None, ...]]]:
        """The meshes that an item is made of, where they are, and the names that they bear."""
        top = (item.path, item.object_id)
        pending = [_Pending(top, _scaled(self._model(within).metres) @ item.place, within, (), (top,))]
        steps = 0
        while pending:
            use = pending.pop()
            path, key = use.of
            steps += 1
            if steps > _MOST_INSTANCES:
                raise _damaged(f"an object is made of more than {_MOST_INSTANCES} components")
            model = self._model(path)
            if key not in model.objects:
                raise _damaged(f"it names object {key[:20]}, which it does not have")
            found = model.objects[key]
            if found.kind in _NO_PARTS:
                self._supports += 1
                continue
            # a model of the archive may have a unit of its own
            place = use.place @ _scaled(model.metres / self._model(use.within).metres)
            called = (*use.called, found.name, found.number)
            if found.triangles:
                yield found, place, called
            for component in reversed(found.components):
                below = (component.path, component.object_id)
                if below in use.above:
                    raise _damaged(f"object {key[:20]} contains itself: its components run in a circle")
                pending.append(_Pending(below, place @ component.place, path, called, (*use.above, below)))

    def _root(self) -> str:
        if "_rels/.rels" in self._names:
            targets: list[str] = []

            def start(name: str, attributes: dict[str, str]) -> None:
                if name.endswith("Relationship") and attributes.get("Type") == _MODEL_RELATION:
                    targets.append(attributes.get("Target", ""))

            _parse(self._content("_rels/.rels"), start)
            if targets:
                return posixpath.normpath("/" + targets[0])
        models = [name for name in self._names if name.endswith(".model")]
        if not models:
            raise GeometryError(
                "The archive holds no 3MF model. Unpack it and send the part itself, or export it as 3MF."
            )
        return "/" + min(models, key=len)

    def _model(self, path: str) -> _Model:
        if path not in self._models:
            self._models[path] = _read_model(path, self._content(path.lstrip("/")))
        return self._models[path]

    def _content(self, name: str) -> bytes:
        if name.lower() not in self._names:
            raise _damaged(f"it names '{name[:60]}', which is not in its archive")
        with self._archive.open(self._names[name.lower()]) as file:
            content = file.read(self._left + 1)
        if len(content) > self._left:
            raise too_large(self._limit)
        self._left -= len(content)
        return content


def _read_model(path: str, content: bytes) -> _Model:
    model = _Model(path)
    current: list[_Object] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        space, _, name = tag.rpartition(" ")
        if space != _CORE:
            return
        if name == "vertex" and current:
            current[-1].vertices.extend(
                (float(attributes["x"]), float(attributes["y"]), float(attributes["z"]))
            )
        elif name == "triangle" and current:
            current[-1].triangles.extend(
                (int(attributes["v1"]), int(attributes["v2"]), int(attributes["v3"]))
            )
        elif name == "object":
            current.append(
                _Object(attributes.get("name"), attributes.get("partnumber"), attributes.get("type", "model"))
            )
            model.objects[attributes["id"]] = current[-1]
        elif name == "component" and current:
            current[-1].components.append(_placed(path, attributes))
        elif name == "item":
            model.build.append(_placed(path, attributes))
        elif name == "model":
            unit = attributes.get("unit", "millimeter")
            if unit not in _UNITS:
                raise _damaged(f"its unit is '{unit[:20]}'")
            model.unit = _UNITS[unit]

    try:
        _parse(content, start)
    except (KeyError, ValueError, OverflowError) as error:
        raise _damaged(f"an element of its model lacks a number ({error})") from error
    return model


def _placed(path: str, attributes: dict[str, str]) -> _Placed:
    elsewhere = attributes.get(f"{_PRODUCTION} path")
    words = attributes.get("transform", "1 0 0 0 1 0 0 0 1 0 0 0").split()
    if len(words) != 12:
        raise _damaged("a transformation has not twelve numbers")
    place = np.eye(4)
    place[:3] = np.array([float(word) for word in words]).reshape(4, 3).T  # the file has row vectors
    if not np.isfinite(place).all():
        raise _damaged("a transformation is not finite")
    target = path if elsewhere is None else posixpath.normpath("/" + elsewhere)
    return _Placed(target, attributes["objectid"], place, attributes.get("partnumber"))


def _scaled(metres: float) -> Float64:
    return np.diag([metres, metres, metres, 1.0])


def _parse(content: bytes, start: Callable[[str, dict[str, str]], None]) -> None:
    """Run through XML; a document type, where entities are declared, is refused."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise _damaged("it declares a document type, which 3MF forbids")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise _damaged(f"its XML is broken in line {error.lineno}") from error


def _damaged(why: str) -> GeometryError:
    return GeometryError(f"The 3MF file is damaged: {why}. Export the part again.")
