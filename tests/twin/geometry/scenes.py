"""glTF and 3MF files, written by hand."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

_KINDS = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
_WIDTHS = {1: "SCALAR", 3: "VEC3"}


class Gltf:
    """A glTF document in the making."""

    def __init__(self) -> None:
        self.binary = b""
        self.json: dict[str, Any] = {
            "asset": {"version": "2.0"},
            "scene": 0,
            "scenes": [{"nodes": []}],
            **{name: [] for name in ("nodes", "meshes", "accessors", "bufferViews")},
        }

    def view(self, array: np.ndarray, stride: int | None = None) -> int:
        """A new buffer view, its rows `stride` bytes apart."""
        data = array.tobytes()
        if stride is not None:
            rows = np.zeros((len(array), stride), dtype=np.uint8)
            rows[:, : array[0].nbytes] = array.reshape(len(array), -1).view(np.uint8)
            data = rows.tobytes()
        self.binary += bytes(-len(self.binary) % 4)
        self.json["bufferViews"].append(
            {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data)}
        )
        if stride is not None:
            self.json["bufferViews"][-1]["byteStride"] = stride
        self.binary += data
        return len(self.json["bufferViews"]) - 1

    def accessor(self, array: np.ndarray, kind: str = "f4", stride: int | None = None, **more: Any) -> int:
        """A new accessor of an array (n,) or (n, 3)."""
        typed = np.ascontiguousarray(array, dtype="<" + kind)
        width = 1 if typed.ndim == 1 else typed.shape[1]
        self.json["accessors"].append(
            {
                "bufferView": self.view(typed, stride),
                "componentType": _KINDS[kind],
                "count": len(typed),
                "type": _WIDTHS[width],
                **more,
            }
        )
        return len(self.json["accessors"]) - 1

    def mesh(self, *primitives: Mapping[str, Any], name: str | None = None) -> int:
        """A new mesh."""
        self.json["meshes"].append({"primitives": list(primitives), **({"name": name} if name else {})})
        return len(self.json["meshes"]) - 1

    def node(self, root: bool = True, **fields: Any) -> int:
        """A new node, at the top of the scene or not."""
        self.json["nodes"].append({key: value for key, value in fields.items() if value is not None})
        number = len(self.json["nodes"]) - 1
        if root:
            self.json["scenes"][0]["nodes"].append(number)
        return number

    def triangles(self, vertices: np.ndarray, triangles: np.ndarray, **more: Any) -> dict[str, Any]:
        """A primitive."""
        return {
            "attributes": {"POSITION": self.accessor(vertices)},
            "indices": self.accessor(triangles.reshape(-1), "u2"),
            **more,
        }

    def glb(self) -> bytes:
        """As one binary file."""
        self.json["buffers"] = [{"byteLength": len(self.binary)}]
        text = json.dumps(self.json).encode()
        text += b" " * (-len(text) % 4)
        binary = self.binary + bytes(-len(self.binary) % 4)
        body = len(text).to_bytes(4, "little") + b"JSON" + text
        body += len(binary).to_bytes(4, "little") + b"BIN\0" + binary
        return b"glTF" + (2).to_bytes(4, "little") + (12 + len(body)).to_bytes(4, "little") + body

    def embedded(self) -> bytes:
        """As JSON with its data inside."""
        uri = "data:application/octet-stream;base64," + base64.b64encode(self.binary).decode()
        return json.dumps({**self.json, "buffers": [{"byteLength": len(self.binary), "uri": uri}]}).encode()


def mesh_xml(vertices: np.ndarray, triangles: np.ndarray) -> str:
    """The mesh of a 3MF object."""
    points = "".join('<vertex x="{:.17g}" y="{:.17g}" z="{:.17g}"/>'.format(*v) for v in vertices)
    faces = "".join('<triangle v1="{}" v2="{}" v3="{}"/>'.format(*t) for t in triangles)
    return f"<mesh><vertices>{points}</vertices><triangles>{faces}</triangles></mesh>"


def model_xml(objects: Sequence[str], items: Sequence[str], unit: str | None = "millimeter") -> str:
    """A 3MF model."""
    said = f' unit="{unit}"' if unit else ""
    return (
        f'<?xml version="1.0"?><model{said} xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02" '
        f'xmlns:p="http://schemas.microsoft.com/3dmanufacturing/production/2015/06">'
        f"<resources>{''.join(objects)}</resources><build>{''.join(items)}</build></model>"
    )


def threemf(model: str, **others: str) -> bytes:
    """A 3MF archive of a model, and other models by name."""
    relations = (
        '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Target="/3D/main.model" Id="r" '
        'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>'
    )
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_rels/.rels", relations)
        archive.writestr("3D/main.model", model)
        for name, content in others.items():
            archive.writestr(f"3D/{name}.model", content)
    return written.getvalue()
