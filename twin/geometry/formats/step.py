"""STEP, tessellated by Open CASCADE (cascadio): an exact surface becomes facets within a chord error that
we report.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from twin.errors import GeometryError
from twin.geometry.formats.gltf import Document
from twin.geometry.formats.soup import Float64, Int64, Soup
from twin.geometry.formats.step_names import Body, label
from twin.geometry.formats.step_text import StepText

_COARSE = {"tol_linear": 0.1, "tol_angular": 0.8}
_LINEAR = 3e-4  # chord error, of the diagonal
_ANGULAR = 0.12  # [rad] between facets: 52 around a bore, 0.2 % of its radius


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
    text = StepText(data)
    unit, warnings = text.unit()
    labels = label(text, fine.bodies(), len(fine.triangles), diagonal)
    return Soup(
        fine.vertices,
        fine.triangles,
        labels.groups,
        unit=unit,
        metres=text.metres()[0],
        scale=1.0,
        chord_error=_chord_error(fine, otherwise=linear),
        warnings=(*warnings, *labels.warnings),
        part=labels.part,
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
    model; surfaces: of each face, and places: the transformations of their bodies.
    """

    def __init__(self, data: bytes) -> None:
        document = Document(data)
        vertices: list[Float64] = []
        triangles: list[Int64] = []
        faces: list[Int64] = []
        self.surfaces: list[Mapping[str, Any] | None] = []
        self.places: list[Float64] = []
        self._products: list[tuple[int, object, object]] = []  # first face, name, name of the occurrence
        count = 0
        for instance in document.instances():
            mesh, place = document.json["meshes"][instance.mesh], instance.place
            self._products.append((len(self.surfaces), mesh.get("name"), instance.names[-1]))
            for primitive in mesh["primitives"]:
                brep = primitive.get("extensions", {}).get("TM_brep_faces")
                points = document.array(primitive["attributes"]["POSITION"]).astype(np.float64)
                indices = document.array(primitive["indices"]).astype(np.int64).reshape(-1, 3)
                face = (
                    document.array(brep["faceIndices"]).astype(np.int64)
                    if brep
                    else np.full(len(indices), -1)
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

    def facets(self) -> list[Int64]:
        """The triangles of each face."""
        order = np.argsort(self.face, kind="stable")
        starts = np.searchsorted(self.face[order], np.arange(len(self.surfaces) + 1))
        return [order[start:end] for start, end in itertools.pairwise(starts)]

    def bodies(self) -> list[Body]:
        """Products in their places."""
        facets = self.facets()
        ends = [*(first for first, _, _ in self._products[1:]), len(self.surfaces)]
        return [
            Body(self.surfaces[first:end], facets[first:end], product, occurrence)
            for (first, product, occurrence), end in zip(self._products, ends, strict=True)
        ]


def _without_noise(vertices: Float64) -> Float64:
    """GLB holds seven digits: 0.05 came back as 0.05000000075. Rounding to them restores what CAD people
    draw.
    """
    largest = float(np.abs(vertices).max(initial=0.0))
    return vertices if not largest > 0 else np.round(vertices, int(np.floor(-np.log10(6e-8 * largest))))


def _chord_error(glb: _Glb, otherwise: float) -> float:
    """Largest distance of facets from the planes, cylinders, cones, spheres and tori of the model.

    `otherwise` is taken where there are other surfaces: the tolerance that they were cut with.
    """
    corners = glb.vertices[glb.triangles]
    mids = (corners + np.roll(corners, -1, axis=1)) / 2
    samples = np.concatenate([mids, corners.mean(axis=1, keepdims=True)], axis=1)
    known = np.zeros(len(glb.surfaces), dtype=bool)
    worst = 0.0
    for index, (surface, mine) in enumerate(zip(glb.surfaces, glb.facets(), strict=True)):
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
