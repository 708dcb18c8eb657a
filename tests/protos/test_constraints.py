"""Constraints that stand in the protos refuse what the domain refuses, for clients of any language."""

from __future__ import annotations

import math
from collections.abc import Callable

import protovalidate
import pytest
from google.protobuf.message import DecodeError, Message

from protos.twin.v1 import array_pb2, geometry_pb2, material_pb2, run_pb2, selector_pb2, study_pb2

DIGEST = "sha256:" + "0" * 64


def _request() -> run_pb2.CreateRunRequest:
    request = run_pb2.CreateRunRequest(request_id="7b0f5ba4-1c5f-4d4b-9a0a-d17f1a4d3c11")
    request.run.geometry = "geometries/abc-1"
    study = request.run.study.static_stress
    study.material.youngs_modulus = 210e9
    study.material.poissons_ratio = 0.3
    study.material.density = 7850
    study.supports.add().fixed.on.whole_surface.SetInParent()
    load = study.load_cases.add(name="default").loads.add()
    load.force.vector.z = -1
    load.force.on.patches.ids.append(3)
    request.run.options.accuracy = 0.05
    return request


def _rules(message: Message) -> set[str]:
    return {violation.proto.rule_id for violation in protovalidate.collect_violations(message)}


def test_a_sound_request_passes() -> None:
    assert _rules(_request()) == set()


def _study(request: run_pb2.CreateRunRequest) -> study_pb2.StaticStress:
    return request.run.study.static_stress


REFUSED: dict[str, tuple[Callable[[run_pb2.CreateRunRequest], object], str]] = {
    "incompressible": (lambda r: setattr(_study(r).material, "poissons_ratio", 0.5), "double.gt_lt"),
    "too auxetic": (lambda r: setattr(_study(r).material, "poissons_ratio", -1.0), "double.gt_lt"),
    "nu not a number": (lambda r: setattr(_study(r).material, "poissons_ratio", math.nan), "double.gt_lt"),
    "no stiffness": (lambda r: setattr(_study(r).material, "youngs_modulus", 0), "double.gt"),
    "infinite stiffness": (
        lambda r: setattr(_study(r).material, "youngs_modulus", math.inf),
        "double.finite",
    ),
    "no density": (lambda r: setattr(_study(r).material, "density", 0), "double.gt"),
    "negative yield": (lambda r: setattr(_study(r).material, "yield_strength", -1), "double.gt"),
    "no supports": (lambda r: _study(r).ClearField("supports"), "repeated.min_items"),
    "empty support": (lambda r: _study(r).supports.add(), "required"),
    "support without selector": (lambda r: _study(r).supports.add().fixed.SetInParent(), "required"),
    "empty selector": (lambda r: _study(r).supports.add().fixed.on.SetInParent(), "required"),
    "free displacement": (
        lambda r: _study(r).supports.add().displacement.on.whole_surface.SetInParent(),
        "displacement.free",
    ),
    "no load case": (lambda r: _study(r).ClearField("load_cases"), "repeated.min_items"),
    "two cases of a name": (lambda r: _study(r).load_cases.add(name="default"), "load_cases.unique"),
    "nameless case": (lambda r: _study(r).load_cases.add(), "string.pattern"),
    "force not a number": (
        lambda r: setattr(_study(r).load_cases[0].loads[0].force.vector, "x", math.nan),
        "double.finite",
    ),
    "no axis": (
        lambda r: _study(r).load_cases[0].loads.add().centrifugal.axis.SetInParent(),
        "direction.zero",
    ),
    "no geometry": (lambda r: r.run.ClearField("geometry"), "run.geometry"),
    "geometry by path": (lambda r: setattr(r.run, "geometry", "geometries/../x"), "string.pattern"),
    "no study": (lambda r: r.run.ClearField("study"), "required"),
    "exact": (lambda r: setattr(r.run.options, "accuracy", 0), "double.gt_lte"),
    "accuracy over 1": (lambda r: setattr(r.run.options, "accuracy", 1.5), "double.gt_lte"),
    "no time": (lambda r: setattr(r.run.options, "max_seconds", 0), "double.gt"),
    "unknown method": (lambda r: setattr(r.run.options, "method", 77), "enum.defined_only"),
    "a quantity twice": (
        lambda r: r.run.options.quantities.extend(["mass", "mass"]),
        "repeated.unique",
    ),
    "a shouted label": (lambda r: r.run.labels.update({"A": "b"}), "string.pattern"),
    "a long name": (lambda r: setattr(r.run, "display_name", "x" * 257), "string.max_len"),
    "request_id": (lambda r: setattr(r, "request_id", "1"), "string.uuid"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    request = _request()
    change, rule = REFUSED[case]
    change(request)
    assert rule in _rules(request)


SELECTORS = {
    "plane without normal": (selector_pb2.Selector.Plane(point=selector_pb2.Vector3()), "required"),
    "plane with zero normal": (
        selector_pb2.Selector.Plane(point=selector_pb2.Vector3(), normal=selector_pb2.Vector3()),
        "direction.zero",
    ),
    "flat box": (
        selector_pb2.Selector.Box(min=selector_pb2.Vector3(), max=selector_pb2.Vector3(x=1, y=1)),
        "box.empty",
    ),
    "point": (selector_pb2.Selector.Sphere(center=selector_pb2.Vector3()), "double.gt"),
    "no patches": (selector_pb2.Selector.Patches(), "repeated.min_items"),
    "nameless group": (selector_pb2.Selector.Group(), "string.min_len"),
    "angle in degrees": (
        selector_pb2.Selector.Facing(direction=selector_pb2.Vector3(x=1), max_angle=20),
        "double.gt_lte",
    ),
    "nothing combined": (selector_pb2.Selector.Operands(), "repeated.min_items"),
}


@pytest.mark.parametrize("case", SELECTORS)
def test_refused_selectors(case: str) -> None:
    message, rule = SELECTORS[case]
    assert rule in _rules(message)


def test_endless_nesting_does_not_parse() -> None:
    data = selector_pb2.Selector(whole_surface={}).SerializeToString()
    for _ in range(2000):
        length, prefix = len(data), b"\x5a"  # field 11: complement
        varint = bytearray()
        while length > 0x7F:
            varint.append(length & 0x7F | 0x80)
            length >>= 7
        data = prefix + bytes(varint) + bytes([length]) + data
    with pytest.raises(DecodeError):
        selector_pb2.Selector.FromString(data)


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        (geometry_pb2.FindMissingBlobsRequest(), "repeated.min_items"),
        (geometry_pb2.FindMissingBlobsRequest(digests=["md5:1"]), "string.pattern"),
        (geometry_pb2.UploadBlobRequest(), "required"),
        (geometry_pb2.UploadBlobRequest(chunk=bytes((1 << 20) + 1)), "bytes.max_len"),
        (geometry_pb2.UploadBlobRequest(header={"size_bytes": 0}), "int64.gt"),
        (geometry_pb2.Geometry(source_digest=DIGEST, filename="a/b.stl"), "string.pattern"),
        (geometry_pb2.Geometry(source_digest=DIGEST, filename=""), "string.min_len"),
        (geometry_pb2.Geometry(source_digest=DIGEST, filename="a.stl", unit="furlong"), "string.in"),
        (geometry_pb2.CreateGeometryRequest(), "required"),
        (geometry_pb2.ListGeometriesRequest(page_size=-1), "int32.gte"),
        (array_pb2.ReadArrayRequest(name="runs/a/arrays/../../etc/passwd"), "string.pattern"),
        (array_pb2.ReadArrayRequest(name="runs/a/arrays/b", offset_rows=-1), "int64.gte"),
        (material_pb2.GetMaterialRequest(name="steel"), "string.pattern"),
        (run_pb2.GetRunRequest(name="runs/"), "string.pattern"),
        (run_pb2.ListRunsRequest(states=[99]), "enum.defined_only"),
    ],
)
def test_refused_requests(message: Message, rule: str) -> None:
    assert rule in _rules(message)


def test_sound_requests_pass() -> None:
    for message in (
        geometry_pb2.CreateGeometryRequest(
            geometry={"source_digest": DIGEST, "filename": "bracket v2.step", "unit": "mm"}
        ),
        geometry_pb2.UploadBlobRequest(chunk=bytes(1 << 20)),
        array_pb2.ReadArrayRequest(name="runs/0af-3/arrays/default.surface.von_mises", encoding=2),
        material_pb2.GetMaterialRequest(name="materials/ti-6al-4v"),
        run_pb2.WatchRunRequest(name="runs/1"),
        run_pb2.ListRunsRequest(),
    ):
        assert _rules(message) == set()
