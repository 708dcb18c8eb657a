"""glTF 2.0 binary: the coloured surface of a result, for a browser or a presentation."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.results.display import title
from twin.results.outcome import Outcome
from twin.results.scalars import bands, scalar
from twin.results.shape import Deformation, deformation_factor, displacement
from twin.results.skin import nodal_normals, skin

_FLOAT, _UNSIGNED, _BYTE = 5126, 5125, 5121
_VERTICES, _INDICES = 34962, 34963
# CAD is z up, glTF y up: a quarter turn about x.
_Z_UP = [-(0.5**0.5), 0.0, 0.0, 0.5**0.5]


def save_glb(outcome: Outcome, path: Path, case: str, field: str | None, deformation: Deformation) -> None:
    """Write the surface in metres with vertex colours of `field`, by default the case's main one.

    Unlit, so that colours read as in the legend. Their scale and the factor of the deformation stand in the
    extras of the mesh.
    """
    field = field or outcome.cases[case].main_field
    part = skin(outcome)
    rest = part.points
    motion = part.at(displacement(outcome.cases[case], len(outcome.points)))
    factor = deformation_factor(motion, rest, deformation)
    points = rest + factor * motion
    local = scalar(outcome.cases[case], field, part.at)
    area, normals = nodal_normals(part, points)
    colors = bands(local, area)
    srgb = colors.color(local.values)
    # glTF multiplies vertex colours as linear light
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    rgba = np.concatenate([np.round(linear * 255.0), np.full((len(linear), 1), 255.0)], axis=1)
    # a coordinate beyond float32's reach would be lost, so positions are relative to the middle of the part
    middle = (points.max(axis=0) + points.min(axis=0)) / 2.0
    normals[~(np.abs(normals).sum(axis=1) > 0.0)] = (0.0, 0.0, 1.0)

    buffer = _Buffer()
    attributes = {
        "POSITION": buffer.add((points - middle).astype(np.float32), _FLOAT, "VEC3", _VERTICES, bounds=True),
        "NORMAL": buffer.add(normals.astype(np.float32), _FLOAT, "VEC3", _VERTICES),
        "COLOR_0": buffer.add(rgba.astype(np.uint8), _BYTE, "VEC4", _VERTICES, normalized=True),
    }
    indices = buffer.add(part.triangles.astype(np.uint32).reshape(-1), _UNSIGNED, "SCALAR", _INDICES)
    extras = {
        "case": case,
        "field": title(field),
        "unit": colors.unit.name,
        "limits": colors.limits.tolist(),
        "deformation": factor,
        "length_unit": "m",
    }
    document = {
        "asset": {"version": "2.0", "generator": "twin"},
        "extensionsUsed": ["KHR_materials_unlit"],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": "z up", "rotation": _Z_UP, "children": [1]},
                  {"name": "part", "mesh": 0, "translation": middle.tolist()}],
        "meshes": [{
            "name": title(field),
            "primitives": [{"attributes": attributes, "indices": indices, "material": 0, "mode": 4}],
            "extras": extras,
        }],
        "materials": [{
            "name": "field",
            "doubleSided": True,
            "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 0.9},
            "extensions": {"KHR_materials_unlit": {}},
        }],
        "buffers": [{"byteLength": len(buffer.data)}],
        "bufferViews": buffer.views,
        "accessors": buffer.accessors,
    }  # fmt: skip
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + len(buffer.data)
    with path.open("wb") as file:
        file.write(struct.pack("<4sII", b"glTF", 2, total))
        file.write(struct.pack("<I4s", len(text), b"JSON") + text)
        file.write(struct.pack("<I4s", len(buffer.data), b"BIN\0") + buffer.data)


class _Buffer:
    """The one binary chunk, its views and accessors, each aligned to four bytes."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(
        self,
        array: NDArray[Any],
        component: int,
        shape: str,
        target: int,
        *,
        normalized: bool = False,
        bounds: bool = False,
    ) -> int:
        raw = np.ascontiguousarray(array).tobytes()
        self.views.append(
            {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(raw), "target": target}
        )
        self.data += raw + b"\0" * (-len(raw) % 4)
        accessor: dict[str, Any] = {
            "bufferView": len(self.views) - 1,
            "componentType": component,
            "count": len(array),
            "type": shape,
        }
        if normalized:
            accessor["normalized"] = True
        if bounds:
            accessor["min"], accessor["max"] = array.min(axis=0).tolist(), array.max(axis=0).tolist()
        self.accessors.append(accessor)
        return len(self.accessors) - 1
