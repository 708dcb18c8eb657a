"""STEP, tessellated by Open CASCADE (cascadio): an exact surface becomes facets within a chord error that
we report.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import GeometryError
from twin.geometry.formats.soup import Float64, Int64, Soup
from twin.units import LENGTH_UNITS

_COARSE = {"tol_linear": 0.1, "tol_angular": 0.8}
_LINEAR = 3e-4  # chord error, of the diagonal
_ANGULAR = 0.12  # [rad] between facets: 52 around a bore, 0.2 % of its radius

_COMPONENTS = {5121: "<u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC3": 3}
_ENTITY = re.compile(rb"#(\d+)\s*=\s*([^;]*);")
_SI_PREFIX = {"": 1.0, ".MILLI.": 1e-3, ".CENTI.": 1e-2, ".MICRO.": 1e-6, ".DECI.": 0.1, ".KILO.": 1e3}


def read(data: bytes) -> Soup:
    """Facets of all solids and shells of a STEP file, in metres. Raises GeometryError."""
    import cascadio

    if not re.search(rb"END-ISO-10303-21\s*;", data[-4096:]):
        raise GeometryError(
            "The STEP file does not end as one should: it was cut off. Export the part again."
        )
    coarse = _Glb(_tessellate(cascadio, data, **_COARSE))
    diagonal = float(np.linalg.norm(np.ptp(coarse.vertices, axis=0)))
    linear = _LINEAR * diagonal
    fine = _Glb(_tessellate(cascadio, data, tol_linear=linear * 1e3, tol_angular=_ANGULAR))
    unit, warnings = _unit(data)
    return Soup(
        fine.vertices,
        fine.triangles,
        unit=unit,
        scale=1.0,
        chord_error=_chord_error(fine, otherwise=linear),
        warnings=warnings,
    )


def _tessellate(cascadio: Any, data: bytes, **tolerances: float) -> bytes:
    glb: bytes = cascadio.load(data, file_type="step", include_brep=True, use_parallel=False, **tolerances)
    if not glb:
        raise GeometryError(
            "Open CASCADE found no part in the STEP file: it is damaged, empty, or holds only drawings or "
            "points. Export a solid as STEP AP203, AP214 or AP242."
        )
    return glb


class _Glb:
    """The triangles of what cascadio wrote: vertices (n, 3) [m], triangles (m, 3), `face` (m,) of the CAD
    model.
    """

    def __init__(self, data: bytes) -> None:
        length = int.from_bytes(data[12:16], "little")
        self._json: dict[str, Any] = json.loads(data[20 : 20 + length])
        self._binary = data[28 + length :]
        vertices: list[Float64] = []
        triangles: list[Int64] = []
        faces: list[Int64] = []
        self.surfaces: list[Mapping[str, Any] | None] = []
        self.places: list[Float64] = []  # of each surface: the transformation of its body
        count = 0
        for mesh, place in self._instances():
            for primitive in self._json["meshes"][mesh]["primitives"]:
                brep = primitive.get("extensions", {}).get("TM_brep_faces")
                points = self._array(primitive["attributes"]["POSITION"]).astype(np.float64)
                indices = self._array(primitive["indices"]).astype(np.int64).reshape(-1, 3)
                face = (
                    self._array(brep["faceIndices"]).astype(np.int64) if brep else np.full(len(indices), -1)
                )
                faces.append(np.where(face >= 0, face + len(self.surfaces), -1))
                self.surfaces += brep["faces"] if brep else []
                self.places += [place] * (len(brep["faces"]) if brep else 0)
                vertices.append(points @ place[:3, :3].T + place[:3, 3])
                triangles.append(indices + count)
                count += len(points)
        if not triangles:
            raise GeometryError(
                "The STEP file holds no faces. Export a solid, not a sketch or an axis system."
            )
        self.vertices, self.triangles = _without_noise(np.concatenate(vertices)), np.concatenate(triangles)
        self.face = np.concatenate(faces)

    def _instances(self) -> list[tuple[int, Float64]]:
        nodes = self._json.get("nodes", [])
        found: list[tuple[int, Float64]] = []
        pending = [
            (root, np.eye(4)) for root in self._json["scenes"][self._json.get("scene", 0)].get("nodes", [])
        ]
        while pending:
            index, place = pending.pop()
            node = nodes[index]
            here = place @ _placement(node)
            if "mesh" in node:
                found.append((node["mesh"], here))
            pending += [(child, here) for child in node.get("children", [])]
        return found

    def _array(self, index: int) -> NDArray[Any]:
        accessor = self._json["accessors"][index]
        view = self._json["bufferViews"][accessor["bufferView"]]
        width = _WIDTHS[accessor["type"]]
        start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        kind = _COMPONENTS[accessor["componentType"]]
        values = np.frombuffer(self._binary, dtype=kind, count=width * accessor["count"], offset=start)
        return values.reshape(-1, width) if width > 1 else values


def _without_noise(vertices: Float64) -> Float64:
    """GLB holds seven digits: 0.05 came back as 0.05000000075. Rounding to them restores what CAD people
    draw.
    """
    largest = float(np.abs(vertices).max(initial=0.0))
    return vertices if not largest > 0 else np.round(vertices, int(np.floor(-np.log10(6e-8 * largest))))


def _placement(node: Mapping[str, Any]) -> Float64:
    if "matrix" in node:
        return np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T
    place = np.eye(4)
    x, y, z, w = node.get("rotation", (0.0, 0.0, 0.0, 1.0))
    place[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    place[:3, :3] *= np.array(node.get("scale", (1.0, 1.0, 1.0)))
    place[:3, 3] = node.get("translation", (0.0, 0.0, 0.0))
    return place


def _chord_error(glb: _Glb, otherwise: float) -> float:
    """Largest distance of facets from the planes, cylinders, cones, spheres and tori of the model.

    `otherwise` is taken where there are other surfaces: the tolerance that they were cut with.
    """
    corners = glb.vertices[glb.triangles]
    mids = (corners + np.roll(corners, -1, axis=1)) / 2
    samples = np.concatenate([mids, corners.mean(axis=1, keepdims=True)], axis=1)
    known = np.zeros(len(glb.surfaces), dtype=bool)
    worst = 0.0
    order = np.argsort(glb.face, kind="stable")
    starts = np.searchsorted(glb.face[order], np.arange(len(glb.surfaces) + 1))
    for index, surface in enumerate(glb.surfaces):
        mine = order[starts[index] : starts[index + 1]]
        points = samples[mine].reshape(-1, 3)
        place = glb.places[index]
        distance = _distance(surface, (points - place[:3, 3]) @ np.linalg.inv(place[:3, :3]).T)
        if distance is not None:
            known[index] = True
            worst = max(worst, float(distance.max(initial=0.0)))
    used = np.unique(glb.face)
    all_known = len(used) > 0 and used[0] >= 0 and bool(known[used].all())
    return worst if all_known else max(worst, otherwise)


def _distance(surface: Mapping[str, Any] | None, points: Float64) -> Float64 | None:
    if surface is None:  # not one of the five
        return None
    kind = surface["type"]
    if kind == "plane":
        return np.asarray(np.abs((points - surface["origin"]) @ np.array(surface["normal"])))
    if kind == "sphere":
        return np.asarray(np.abs(np.linalg.norm(points - surface["center"], axis=1) - surface["radius"]))
    if kind in ("cylinder", "torus"):
        from_axis, along = _about(
            points, surface["origin" if kind == "cylinder" else "center"], surface["axis"]
        )
        if kind == "cylinder":
            return np.asarray(np.abs(from_axis - surface["radius"]))
        # both sides of the tube's circle: where it crosses the axis, the far side is part of the surface
        sides = [np.hypot(from_axis + sign * surface["major_radius"], along) for sign in (-1, 1)]
        return np.asarray(np.abs(np.stack(sides) - surface["minor_radius"]).min(axis=0))
    return None


def _about(points: Float64, origin: list[float], axis: list[float]) -> tuple[Float64, Float64]:
    relative = points - np.array(origin)
    along = relative @ np.array(axis)
    return np.asarray(np.linalg.norm(relative - along[:, None] * np.array(axis), axis=1)), np.asarray(along)


def _unit(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Name of the length unit that the file's shapes are given in, and warnings."""
    entities = {int(number): body for number, body in _ENTITY.findall(data)}
    lengths: set[float] = set()
    for body in entities.values():
        match = re.search(rb"GLOBAL_UNIT_ASSIGNED_CONTEXT\s*\(\s*\(([^)]*)\)", body)
        for reference in re.findall(rb"#(\d+)", match.group(1)) if match else []:
            metres = _metres(entities, int(reference))
            if metres is not None:
                lengths.add(metres)
    if not lengths:
        return "mm", ("the STEP file names no length unit; mm was assumed",)
    names = [_name(metres) for metres in sorted(lengths)]
    if len(names) > 1:
        return names[0], (f"the STEP file mixes the units {', '.join(names)}; each was converted",)
    return names[0], ()


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
