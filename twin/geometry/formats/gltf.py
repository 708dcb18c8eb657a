"""glTF 2.0: GLB, or JSON with its data inside. Nothing outside the file is ever opened.

Lengths are metres, as the format says. Coordinates stay as the file has them: y is usually up.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import GeometryError
from twin.geometry.formats.names import Names
from twin.geometry.formats.soup import Float64, Int64, Soup

Json = Mapping[str, Any]

MAGIC = b"glTF"
_COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_MODES = {0: "points", 1: "lines", 2: "lines", 3: "lines"}
_COMPRESSED = {
    "KHR_draco_mesh_compression": "Draco",
    "EXT_meshopt_compression": "meshopt",
    "KHR_meshopt_compression": "meshopt",
}
_UNDERSTOOD = ("KHR_mesh_quantization", "KHR_materials_", "KHR_texture_", "EXT_texture_", "KHR_lights_")
_MOST_TRIANGLES = 20_000_000


@dataclass(frozen=True)
class Instance:
    """A mesh in its place. names: of its node and of those above it, outermost first."""

    mesh: int
    place: Float64
    names: tuple[object, ...]
    skinned: bool


def read(data: bytes) -> Soup:
    """Triangles of all meshes of the scene, in metres. Names of nodes and meshes become groups, those of
    materials too where there are several. Raises GeometryError.
    """
    try:
        return _assemble(Document(data))
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise damaged(f"its description is not as it should be ({type(error).__name__}: {error})") from error


def damaged(why: str) -> GeometryError:
    """For content that can't be."""
    return GeometryError(f"The glTF file is damaged: {why}. Export the part again.")


class Document:
    """The description in a glTF file, and the arrays that it points at. Indices and lengths are checked."""

    def __init__(self, data: bytes) -> None:
        description, binary = _containers(data) if data[:4] == MAGIC else (data, None)
        try:
            self.json: Json = json.loads(description)
        except (ValueError, RecursionError) as error:
            raise damaged("its description is no JSON") from error
        if not isinstance(self.json, dict) or "asset" not in self.json:
            raise damaged("its description says nothing of an asset")
        version = str(self.json["asset"].get("version", ""))
        if not version.startswith("2"):
            raise GeometryError(f"The file is glTF {version[:10]}, not 2.0. Export it as GLB 2.0.")
        self._binary = binary
        self._refuse_extensions()
        self._buffers: dict[int, bytes] = {}

    def _refuse_extensions(self) -> None:
        for name in self.json.get("extensionsRequired", []):
            if name in _COMPRESSED:
                raise _compressed(name)
            if not str(name).startswith(_UNDERSTOOD):
                raise GeometryError(
                    f"The glTF file needs the extension {str(name)[:60]}, which can't be read. Export it without."
                )

    def instances(self) -> Iterator[Instance]:
        """All meshes of the scene in their places; of all nodes where there is no scene."""
        nodes = self.json.get("nodes", [])
        below = {_index(child, nodes, "node") for node in nodes for child in node.get("children", [])}
        scenes = self.json.get("scenes", [])
        if scenes:
            roots = scenes[_index(self.json.get("scene", 0), scenes, "scene")].get("nodes", [])
        else:
            roots = [number for number in range(len(nodes)) if number not in below]
            if nodes and not roots:
                raise damaged("its nodes contain each other")
        pending: list[tuple[object, Float64, tuple[object, ...]]] = [
            (root, np.eye(4), ()) for root in reversed(roots)
        ]
        met: set[int] = set()
        while pending:
            reference, above, names = pending.pop()
            number = _index(reference, nodes, "node")
            node = nodes[number]
            if number in met:
                raise damaged(f"node {number} is there twice, or contains itself")
            met.add(number)
            if "EXT_mesh_gpu_instancing" in node.get("extensions", {}):
                raise GeometryError(
                    "The glTF file repeats meshes by EXT_mesh_gpu_instancing. Export it without."
                )
            place = above @ placement(node)
            here = (*names, node.get("name"))
            if "mesh" in node:
                mesh = _index(node["mesh"], self.json.get("meshes", []), "mesh")
                yield Instance(mesh, place, here, "skin" in node)
            pending += [(child, place, here) for child in reversed(node.get("children", []))]

    def array(self, number: int) -> NDArray[Any]:
        """(n, width) values of an accessor; (n,) where that is 1."""
        accessor = self.json["accessors"][_index(number, self.json.get("accessors", []), "accessor")]
        width, count = _WIDTHS.get(accessor["type"]), _whole(accessor["count"])
        if width is None or accessor["componentType"] not in _COMPONENTS:
            raise damaged(f"accessor {number} is of an unknown type")
        kind = np.dtype(_COMPONENTS[accessor["componentType"]])
        if "bufferView" in accessor:
            values = self._values(accessor, kind, width, count)
        else:  # zeros, of which the sparse ones are replaced
            if count * width > _MOST_TRIANGLES:
                raise damaged(f"accessor {number} says that it has {count} values, but holds none")
            values = np.zeros((count, width), dtype=kind)
        if "sparse" in accessor:
            values = self._replaced(values, accessor["sparse"], kind, width)
        if accessor.get("normalized") and kind.kind in "iu":
            values = np.maximum(values / np.iinfo(kind).max, -1.0)
        return values if width > 1 else values.reshape(-1)

    def _replaced(self, values: NDArray[Any], sparse: Json, kind: np.dtype[Any], width: int) -> NDArray[Any]:
        count = _whole(sparse["count"])
        index_kind = np.dtype(_COMPONENTS[sparse["indices"]["componentType"]])
        indices = self._values(sparse["indices"], index_kind, 1, count).reshape(-1).astype(np.int64)
        if count and not (indices.min() >= 0 and indices.max() < len(values)):
            raise damaged("a sparse accessor replaces values that don't exist")
        values = values.copy()
        values[indices] = self._values(sparse["values"], kind, width, count)
        return values

    def _values(self, source: Json, kind: np.dtype[Any], width: int, count: int) -> NDArray[Any]:
        """(count, width) values at a place in a buffer view."""
        views = self.json.get("bufferViews", [])
        view = views[_index(source["bufferView"], views, "buffer view")]
        for name in _COMPRESSED:
            if name in view.get("extensions", {}):
                raise _compressed(name)
        buffer = self._buffer(view["buffer"])
        first, length = _whole(view.get("byteOffset", 0)), _whole(view["byteLength"])
        offset, step = _whole(source.get("byteOffset", 0)), _whole(view.get("byteStride", 0))
        size = width * kind.itemsize
        step = step or size
        if first + length > len(buffer) or (count and offset + step * (count - 1) + size > length):
            raise damaged(f"it says that it holds {count} values where its bytes end")
        if step < size:
            raise damaged(f"values of {size} bytes lie {step} bytes apart")
        if count == 0:
            return np.zeros((0, width), dtype=kind)
        raw = np.frombuffer(buffer, dtype=np.uint8)[first + offset :]
        rows = np.lib.stride_tricks.as_strided(raw, (count, size), (step, 1), writeable=False)
        return np.ascontiguousarray(rows).view(kind).reshape(count, width)

    def _buffer(self, number: int) -> bytes:
        if number not in self._buffers:
            buffers = self.json.get("buffers", [])
            buffer = buffers[_index(number, buffers, "buffer")]
            uri = buffer.get("uri")
            if uri is None and number == 0 and self._binary is not None:
                content = self._binary
            elif uri is None:
                raise damaged("a buffer has no data")
            else:
                content = _embedded(str(uri))
            if len(content) < _whole(buffer["byteLength"]):
                raise damaged(
                    f"a buffer says that it has {buffer['byteLength']} bytes, but has {len(content)}"
                )
            self._buffers[number] = content
        return self._buffers[number]


def placement(node: Json) -> Float64:
    """(4, 4) transformation of a node."""
    if "matrix" in node:
        return np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T
    place = np.eye(4)
    x, y, z, w = np.array(node.get("rotation", (0.0, 0.0, 0.0, 1.0)), dtype=np.float64)
    norm = float(np.sqrt(x * x + y * y + z * z + w * w))
    x, y, z, w = np.array((x, y, z, w)) / norm if norm > 0 else (0.0, 0.0, 0.0, 1.0)
    place[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    place[:3, :3] *= np.array(node.get("scale", (1.0, 1.0, 1.0)))
    place[:3, 3] = node.get("translation", (0.0, 0.0, 0.0))
    return place


def strip(mode: int, indices: Int64) -> Int64:
    """(m, 3) triangles of a list (4), strip (5) or fan (6); an incomplete last one is dropped."""
    if mode == 4:
        return indices[: len(indices) // 3 * 3].reshape(-1, 3)
    count = max(len(indices) - 2, 0)
    i = np.arange(count)
    if mode == 5:  # every other one runs the other way around
        odd = i % 2
        return np.stack([indices[i], indices[i + 1 + odd], indices[i + 2 - odd]], axis=1)
    if mode == 6:
        return np.stack([indices[i + 1], indices[i + 2], np.broadcast_to(indices[:1], count)], axis=1)
    raise damaged(f"it has a primitive of the unknown mode {mode}")


def _assemble(document: Document) -> Soup:
    vertices: list[Float64] = []
    triangles: list[Int64] = []
    names = Names()
    materials: dict[int, list[Int64]] = {}
    owners: dict[tuple[object, ...], list[Int64]] = {}
    leaves: set[tuple[object, ...]] = set()
    warnings: list[str] = []
    points, count = 0, 0
    for instance in document.instances():
        mesh = document.json["meshes"][instance.mesh]
        if instance.skinned:
            warnings.append("a mesh is bent by a skeleton, which was left out")
        start = count
        for primitive in mesh["primitives"]:
            mode = primitive.get("mode", 4)
            for name in _COMPRESSED:
                if name in primitive.get("extensions", {}):
                    raise _compressed(name)
            if mode in _MODES:
                warnings.append(f"{_MODES[mode]}, which bound no part, were left out")
                continue
            place = instance.place
            with np.errstate(invalid="ignore"):  # places that are no numbers go later (repair.py)
                corners = document.array(primitive["attributes"]["POSITION"]).astype(np.float64)
            corners = corners.reshape(-1, 3)
            indices = (
                document.array(primitive["indices"]).astype(np.int64)
                if "indices" in primitive
                else np.arange(len(corners))
            )
            if len(indices) and not (indices.min() >= 0 and indices.max() < len(corners)):
                raise damaged(f"a triangle names a vertex outside of the {len(corners)} of its mesh")
            found = strip(mode, indices)
            if np.linalg.det(place[:3, :3]) < 0:  # a mirror image
                found = found[:, ::-1]
            if count + len(found) > _MOST_TRIANGLES:
                raise GeometryError(
                    f"The glTF file has more than {_MOST_TRIANGLES} triangles. Export it coarser."
                )
            with np.errstate(invalid="ignore", over="ignore"):  # what isn't finite is dealt with later
                vertices.append(corners @ place[:3, :3].T + place[:3, 3])
            triangles.append(found + points)
            if "material" in primitive:
                materials.setdefault(primitive["material"], []).append(np.arange(count, count + len(found)))
            points, count = points + len(corners), count + len(found)
        mine = np.arange(start, count)
        names.add(mesh.get("name"), mine)
        leaves.add(instance.names)
        for depth in range(len(instance.names)):
            owners.setdefault(instance.names[: depth + 1], []).append(mine)
    if count == 0:
        raise GeometryError(
            "The glTF file holds no triangles in its scene, so it describes no part. Export the part as a mesh."
        )
    for path, parts in owners.items():
        whole = np.concatenate(parts)
        if path in leaves or len(whole) < count:  # what stands above everything says nothing
            names.add(path[-1], whole)
    if len(materials) > 1:
        known = document.json.get("materials", [])
        for number, parts in materials.items():
            names.add(known[_index(number, known, "material")].get("name"), np.concatenate(parts))
    groups, told = names.groups()
    return Soup(
        np.concatenate(vertices),
        np.concatenate(triangles),
        groups,
        unit="m",
        scale=1.0,
        warnings=(
            *dict.fromkeys(warnings),
            *told,
            "glTF has the y axis up: coordinates were kept as they are",
        ),
    )


def _containers(data: bytes) -> tuple[bytes, bytes | None]:
    """Description and binary part of a GLB."""
    declared = int.from_bytes(data[8:12], "little")
    if len(data) < 20 or declared > len(data):
        raise damaged(f"it says that it has {declared} bytes, but has {len(data)}: it was cut off")
    chunks: dict[bytes, bytes] = {}
    at = 12
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "little"), data[at + 4 : at + 8]
        if at + 8 + length > len(data):
            raise damaged(f"a chunk says that it has {length} bytes, more than follow")
        chunks.setdefault(kind, data[at + 8 : at + 8 + length])
        at += 8 + (length + 3) // 4 * 4
    if b"JSON" not in chunks:
        raise damaged("it has no description")
    return chunks[b"JSON"], chunks.get(b"BIN\0")


def _embedded(uri: str) -> bytes:
    head, comma, body = uri.partition(",")
    if not head.startswith("data:") or not comma:
        raise GeometryError(
            f"The glTF file keeps its data in another file ('{uri[:60]}'), and only what is uploaded is read. "
            f"Export the part as .glb, which holds everything in one file, and upload that.",
        )
    try:
        return base64.b64decode(body, validate=True) if head.endswith(";base64") else b""
    except (binascii.Error, ValueError) as error:
        raise damaged("its embedded data is no base64") from error


def _compressed(extension: str) -> GeometryError:
    return GeometryError(
        f"The glTF file is compressed with {_COMPRESSED[extension]} ({extension}), which can't be read. Export "
        f"it without compression."
    )


def _index(number: object, of: Any, what: str) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(of):
        raise damaged(f"it names {what} {str(number)[:20]}, but has {len(of)}")
    return number


def _whole(number: object) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 1 << 40:
        raise damaged(f"a length is {str(number)[:20]}")
    return number
