"""Gradients: that part of a stored manifest (twin.results.storage) which results of other runs don't have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from protos.twin.v1 import array_pb2, result_pb2
from twin.codec.arrays import ArrayRecord, array_to_proto
from twin.codec.studies import WRTS

Manifest = Mapping[str, Any]


def gradient_to_proto(record: Manifest, arrays: Mapping[str, ArrayRecord]) -> result_pb2.GradientResult:
    """The record as a message. arrays: by their key in the manifest."""
    return result_pb2.GradientResult(
        run=record["of"],
        load_case=record["case"],
        quantity=record["quantity"],
        wrt=WRTS.value(record["wrt"]),
        value=float(record["value"]),
        unit=record["unit"],
        gap=float(record["gap"]),
        sensitivities=[_sensitivity_to_proto(entry, arrays) for entry in record["sensitivities"]],
    )


def gradient_from_proto(
    message: result_pb2.GradientResult, key: Callable[[array_pb2.ArrayInfo], str]
) -> dict[str, Any]:
    """Inverse of `gradient_to_proto`. key: in the manifest, of an array."""
    return {
        "of": message.run,
        "case": message.load_case,
        "quantity": message.quantity,
        "wrt": WRTS.word(message.wrt),
        "value": message.value,
        "unit": message.unit,
        "gap": message.gap,
        "sensitivities": [_sensitivity_from_proto(entry, key) for entry in message.sensitivities],
    }


def gradient_labels(record: Manifest) -> dict[str, dict[str, Any]]:
    """unit, location and field of each array of the record, by the array's key."""
    return {
        entry["array"]: {
            "unit": entry["unit"],
            "location": "surface" if entry["name"] == "vertices" else "",
            "field": entry["name"],
        }
        for entry in record["sensitivities"]
        if "array" in entry
    }


def _sensitivity_to_proto(entry: Manifest, arrays: Mapping[str, ArrayRecord]) -> result_pb2.Sensitivity:
    if "array" in entry:
        array = array_to_proto(arrays[entry["array"]])
        return result_pb2.Sensitivity(name=entry["name"], unit=entry["unit"], array=array)
    vector = isinstance(entry["values"], list)
    values = entry["values"] if vector else [entry["values"]]
    return result_pb2.Sensitivity(
        name=entry["name"], unit=entry["unit"], values=[float(value) for value in values], vector=vector
    )


def _sensitivity_from_proto(
    message: result_pb2.Sensitivity, key: Callable[[array_pb2.ArrayInfo], str]
) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": message.name, "unit": message.unit}
    if message.HasField("array"):
        return entry | {"array": key(message.array)}
    return entry | {"values": list(message.values) if message.vector else message.values[0]}
