"""Reports of geometries."""

from __future__ import annotations

from typing import Literal

from protos.twin.v1 import geometry_pb2
from twin.codec.enums import EnumWords
from twin.codec.vectors import vector_from_proto, vector_to_proto
from twin.geometry.surface import Patch, Report

MAX_PATCHES = 5000
"""How many patches a report carries on the wire, the largest first: no message may exceed 2 MiB."""

MAX_GROUPS = 2000
MAX_SENTENCES = 200

_KINDS: EnumWords[Literal["plane", "cylinder", "free"], geometry_pb2.PatchKind.ValueType] = EnumWords(
    "kind of a patch",
    {
        "plane": geometry_pb2.PATCH_KIND_PLANE,
        "cylinder": geometry_pb2.PATCH_KIND_CYLINDER,
        "free": geometry_pb2.PATCH_KIND_FREE,
    },
    "free",
)


def report_to_proto(report: Report) -> geometry_pb2.GeometryReport:
    """The report as a message. Beyond MAX_PATCHES the smallest are left out; patch_count counts all."""
    patches = report.patches
    if len(patches) > MAX_PATCHES:
        largest = sorted(patches, key=lambda patch: -patch.area)[:MAX_PATCHES]
        patches = tuple(sorted(largest, key=lambda patch: patch.id))
    low, high = report.bounds
    return geometry_pb2.GeometryReport(
        triangles=report.triangles,
        watertight=report.watertight,
        volume=report.volume,
        area=report.area,
        bounds_min=vector_to_proto(low),
        bounds_max=vector_to_proto(high),
        bodies=report.bodies,
        patches=[_patch_to_proto(patch) for patch in patches],
        patch_count=len(report.patches),
        groups=report.groups[:MAX_GROUPS],
        repairs=report.repairs[:MAX_SENTENCES],
        warnings=report.warnings[:MAX_SENTENCES],
        unit=report.unit,
        chord_error=report.chord_error or None,
    )


def report_from_proto(message: geometry_pb2.GeometryReport) -> Report:
    """Inverse of `report_to_proto`."""
    return Report(
        triangles=message.triangles,
        watertight=message.watertight,
        volume=message.volume,
        area=message.area,
        bounds=(vector_from_proto(message.bounds_min), vector_from_proto(message.bounds_max)),
        bodies=message.bodies,
        patches=tuple(_patch_from_proto(patch) for patch in message.patches),
        groups=tuple(message.groups),
        repairs=tuple(message.repairs),
        warnings=tuple(message.warnings),
        unit=message.unit,
        chord_error=message.chord_error,
    )


def parse_report(data: bytes) -> Report:
    """The report from its serialised message."""
    return report_from_proto(geometry_pb2.GeometryReport.FromString(data))


def _patch_to_proto(patch: Patch) -> geometry_pb2.Patch:
    return geometry_pb2.Patch(
        id=patch.id,
        area=patch.area,
        centroid=vector_to_proto(patch.centroid),
        kind=_KINDS.value(patch.kind),
        normal=None if patch.normal is None else vector_to_proto(patch.normal),
        radius=patch.radius,
        axis=None if patch.axis is None else vector_to_proto(patch.axis),
        center=None if patch.center is None else vector_to_proto(patch.center),
    )


def _patch_from_proto(message: geometry_pb2.Patch) -> Patch:
    return Patch(
        id=message.id,
        area=message.area,
        centroid=vector_from_proto(message.centroid),
        kind=_KINDS.word(message.kind),
        normal=vector_from_proto(message.normal) if message.HasField("normal") else None,
        radius=message.radius if message.HasField("radius") else None,
        axis=vector_from_proto(message.axis) if message.HasField("axis") else None,
        center=vector_from_proto(message.center) if message.HasField("center") else None,
    )
