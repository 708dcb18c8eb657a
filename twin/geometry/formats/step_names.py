"""Which facets bear the names that a STEP file gives to faces, solids and products.

Open CASCADE hands over facets without the names of faces and solids, but keeps the order of the file: its
faces are told apart by that, and checked by the kind and place of their surfaces.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.geometry.formats.names import Names
from twin.geometry.formats.soup import Int64
from twin.geometry.formats.step_text import Face, Shape, StepText

_MADE_UP = re.compile(r"Open CASCADE STEP translator|NAUO\d+$|=>\[|(SOLID|COMPOUND|SHELL|COMPSOLID)$")
_SAME_PLACE = 1e-6  # of the part
_SURE = 0.9  # share of the surfaces that lie where the file has them

Surfaces = Sequence[Mapping[str, Any] | None]


@dataclass(frozen=True, eq=False)
class Body:
    """One product in its place: its surfaces in the order of Open CASCADE, the facets of each, its names."""

    surfaces: Surfaces
    facets: Sequence[Int64]
    product: object
    occurrence: object


@dataclass(frozen=True, eq=False)
class Labels:
    """groups: names -> facets; part: (m,) solid of each facet; warnings."""

    groups: Mapping[str, Int64]
    part: Int64
    warnings: tuple[str, ...]


def label(text: StepText, bodies: Sequence[Body], facets: int, size: float) -> Labels:
    """Names and solids of `facets` triangles of a part of `size` [m]."""
    shapes, metres = text.shapes(), text.metres()
    faces, solids, products = Names(), Names(), Names()
    part = np.zeros(facets, dtype=np.int64)
    count, lost = 0, False
    for body in bodies:
        mine = np.concatenate([np.zeros(0, dtype=np.int64), *body.facets])
        shape = _matching(shapes, body.surfaces, metres, size)
        part[mine] = count
        count += 1
        if shape is None:
            lost = lost or any(_is_name(face.name) for candidate in shapes for face in candidate.faces)
        else:
            for face, ids in zip(shape.faces, body.facets, strict=True):
                faces.add(face.name, ids)
                part[ids] = count + face.solid
            for number, solid in enumerate(shape.solids):
                solids.add(solid, mine[part[mine] == count + number])
            count += len(shape.solids)
        for name in (body.product, body.occurrence):
            if _is_name(name):
                products.add(name, mine)
    told = [sentence for names in (faces, solids, products) for sentence in names.groups()[1]]
    if lost:
        told.append("some names of faces in the STEP file could not be placed: select those by place instead")
    groups: dict[str, Int64] = {}
    for names in (faces, solids, products):  # where a face and its solid have one name, the face has it
        groups = {**groups, **{name: ids for name, ids in names.groups()[0].items() if name not in groups}}
    return Labels(groups, part, tuple(told))


def _matching(
    shapes: Sequence[Shape], surfaces: Surfaces, metres: Sequence[float], size: float
) -> Shape | None:
    """The shape of the file that Open CASCADE's surfaces are those of."""
    alike = [shape for shape in shapes if _same_kinds(shape.faces, surfaces)]
    best, share = None, 0.0
    for shape in alike:
        for scale in metres:
            near = _share_in_place(shape.faces, surfaces, scale, _SAME_PLACE * size)
            if near > share:
                best, share = shape, near
    if share >= _SURE:
        return best
    return alike[0] if len(alike) == 1 else None  # moved as a whole, or of free surfaces only


def _same_kinds(faces: Sequence[Face], surfaces: Surfaces) -> bool:
    if len(faces) != len(surfaces):
        return False
    kinds = (None if surface is None else surface["type"] for surface in surfaces)
    return all(face.kind == kind for face, kind in zip(faces, kinds, strict=True))


def _share_in_place(faces: Sequence[Face], surfaces: Surfaces, metres: float, within: float) -> float:
    near = []
    for face, surface in zip(faces, surfaces, strict=True):
        found = None if surface is None else surface.get("origin", surface.get("center"))
        if found is not None and face.origin is not None:
            near.append(np.abs(metres * np.array(face.origin) - np.array(found)).max() <= within)
    return float(np.mean(near)) if near else 0.0


def _is_name(name: object) -> bool:
    return isinstance(name, str) and _MADE_UP.match(name) is None
