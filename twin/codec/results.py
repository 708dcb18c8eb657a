"""Results: the stored manifest (twin.results.storage) as a Result, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protos.twin.v1 import array_pb2, result_pb2
from twin.codec.arrays import ArrayRecord, array_from_proto, array_to_proto
from twin.codec.enums import EnumWords
from twin.codec.gradients import gradient_from_proto, gradient_labels, gradient_to_proto
from twin.codec.surrogates import card_from_proto, training_to_proto
from twin.codec.vectors import vector_from_proto, vector_to_proto
from twin.results.outcome import Ending, RungName
from twin.results.storage import (
    VERSION,
    card_to_json,
    is_gradient,
    is_training,
    load_card,
    mesh_arrays,
    tested,
)

Manifest = Mapping[str, Any]
Array = NDArray[Any]

MAX_GLYPH_POINTS = 20_000
"""How many points all glyphs of a result may have, and all singular places: no message may exceed 2 MiB."""

ENDINGS: EnumWords[Ending, result_pb2.Ending.ValueType] = EnumWords(
    "why refinement ended",
    {
        "accuracy": result_pb2.ENDING_ACCURACY,
        "max_seconds": result_pb2.ENDING_MAX_SECONDS,
        "max_unknowns": result_pb2.ENDING_MAX_UNKNOWNS,
        "no_finer_mesh": result_pb2.ENDING_NO_FINER_MESH,
    },
    "accuracy",
)

RUNGS: EnumWords[RungName, result_pb2.Rung.Kind.ValueType] = EnumWords(
    "the way to an answer",
    {
        "surrogate": result_pb2.Rung.KIND_SURROGATE,
        "corrected": result_pb2.Rung.KIND_CORRECTED,
        "solver": result_pb2.Rung.KIND_SOLVER,
    },
    "solver",
)

_LENGTHS = ("points", "surface_vertices")  # the other arrays of the mesh are indices


@dataclass(frozen=True, slots=True)
class ResultRecord:
    """What a Result says, for `twin.results.storage.load`.

    manifest: as it was stored. arrays: by their key in the manifest, to be read by name. inline: those that
    came with the message (points and directions of glyphs).
    """

    name: str
    manifest: dict[str, Any]
    arrays: Mapping[str, ArrayRecord]
    inline: Mapping[str, Array]


def result_to_proto(
    name: str,
    manifest: Manifest,
    arrays: Mapping[str, ArrayRecord],
    get_array: Callable[[str], Array],
) -> result_pb2.Result:
    """The manifest as a message.

    name: "runs/{run}/result". arrays: what each array of the manifest is. get_array: reads one; called
    for the glyphs only.
    """
    described = {
        key: replace(record, **label)
        for key, label in labels(manifest).items()
        if (record := arrays.get(key))
    }
    common = _common_to_proto(name, manifest)
    if is_gradient(manifest):
        common.gradient.CopyFrom(gradient_to_proto(manifest["gradient"], described))
        return common
    if is_training(manifest):
        record = manifest["training"]
        made = [described[name] for name in record.get("arrays", ())]
        common.training.CopyFrom(
            training_to_proto(record["surrogate"], load_card(manifest), made, tested(manifest))
        )
        return common
    found = result_pb2.Result(
        cases=[_case_to_proto(case, described) for case in manifest["cases"]],
        glyphs=[
            _glyph_to_proto(glyph, get_array, MAX_GLYPH_POINTS // len(manifest["glyphs"]))
            for glyph in manifest["glyphs"]
        ],
        singularities=[
            _place_to_proto(place, get_array, MAX_GLYPH_POINTS // 2 // len(manifest["singularities"]))
            for place in manifest.get("singularities", ())
        ],
        convergence=[_row_to_proto(row) for row in manifest["convergence"]],
        ended=ENDINGS.value(manifest["ended"]) if manifest.get("ended") else result_pb2.ENDING_UNSPECIFIED,
        mesh_quality=_numbers(manifest["mesh_quality"]),
        mesher=manifest["mesher"],
        rungs=[_rung_to_proto(rung) for rung in manifest.get("rungs", ())],
        grids=[_grid_to_proto(grid, described) for grid in manifest.get("grids", ())],
    )
    for field in mesh_arrays(manifest):
        getattr(found, field).CopyFrom(array_to_proto(described[f"mesh.{field}"]))
    found.MergeFrom(common)
    return found


def _common_to_proto(name: str, manifest: Manifest) -> result_pb2.Result:
    """What every result has."""
    cost = manifest["cost"]
    return result_pb2.Result(
        name=name,
        assumptions=manifest["assumptions"],
        warnings=manifest["warnings"],
        provenance=manifest["provenance"],
        cost=result_pb2.Cost(
            seconds=_numbers(cost["seconds"]),
            joules=cost["joules"],
            device=cost["device"],
            peak_bytes=cost["peak_bytes"],
        ),
    )


def result_from_proto(message: result_pb2.Result) -> ResultRecord:
    """Inverse of `result_to_proto`."""
    arrays: dict[str, ArrayRecord] = {}
    inline: dict[str, Array] = {}

    def key(info: array_pb2.ArrayInfo) -> str:
        record = array_from_proto(info)
        arrays[record.key] = record
        return record.key

    common = _common_from_proto(message)
    if message.HasField("gradient"):
        return ResultRecord(
            message.name, common | {"gradient": gradient_from_proto(message.gradient, key)}, arrays, inline
        )
    if message.HasField("training"):
        made = message.training
        training = {
            "surrogate": made.surrogate,
            "card": card_to_json(card_from_proto(made.card)),
            "arrays": [key(info) for info in made.arrays],
            "errors": dict(made.errors),
        }
        return ResultRecord(message.name, common | {"training": training}, arrays, inline)
    elements = next((name for name in ("hexahedra", "faces") if message.HasField(name)), "tets")
    for field in mesh_arrays({"elements": elements}):
        record = array_from_proto(getattr(message, field))
        arrays[f"mesh.{field}"] = record
    manifest = common | {
        "elements": elements,
        "cases": [_case_from_proto(case, key) for case in message.cases],
        "glyphs": [_glyph_from_proto(index, glyph, inline) for index, glyph in enumerate(message.glyphs)],
        "singularities": [
            _place_from_proto(index, place, inline) for index, place in enumerate(message.singularities)
        ],
        "convergence": [_row_from_proto(row) for row in message.convergence],
        "ended": ENDINGS.word(message.ended) if message.ended else None,
        "mesh_quality": dict(message.mesh_quality),
        "mesher": message.mesher,
        "rungs": [_rung_from_proto(rung) for rung in message.rungs],
        "grids": [_grid_from_proto(grid, key) for grid in message.grids],
    }
    return ResultRecord(message.name, manifest, arrays, inline)


def _grid_to_proto(grid: Manifest, arrays: Mapping[str, ArrayRecord]) -> result_pb2.UniformGrid:
    return result_pb2.UniformGrid(
        origin=_floats(grid["origin"]),
        axes=[component for axis in grid["axes"] for component in _floats(axis)],
        spacing=float(grid["spacing"]),
        shape=grid["shape"],
        fields=[array_to_proto(arrays[field["array"]]) for field in grid["fields"]],
    )


def _grid_from_proto(
    message: result_pb2.UniformGrid, key: Callable[[array_pb2.ArrayInfo], str]
) -> dict[str, Any]:
    return {
        "origin": list(message.origin),
        "axes": np.array(message.axes).reshape(3, 3).tolist(),
        "spacing": message.spacing,
        "shape": list(message.shape),
        "fields": [_field(info, key(info)) for info in message.fields],
    }


def _rung_to_proto(rung: Manifest) -> result_pb2.Rung:
    return result_pb2.Rung(
        kind=RUNGS.value(rung["name"]),
        answered=rung["answered"],
        seconds=rung["seconds"],
        measured=rung["measured"],
        said=rung["said"],
    )


def _rung_from_proto(message: result_pb2.Rung) -> Manifest:
    return {
        "name": RUNGS.word(message.kind),
        "answered": message.answered,
        "seconds": message.seconds if message.HasField("seconds") else None,
        "measured": message.measured,
        "said": message.said,
    }


def _common_from_proto(message: result_pb2.Result) -> dict[str, Any]:
    cost = message.cost
    return {
        "version": VERSION,
        "assumptions": list(message.assumptions),
        "warnings": list(message.warnings),
        "provenance": dict(message.provenance),
        "cost": {
            "seconds": dict(cost.seconds),
            "joules": cost.joules if cost.HasField("joules") else None,
            "device": cost.device,
            "peak_bytes": cost.peak_bytes if cost.HasField("peak_bytes") else None,
        },
    }


def labels(manifest: Manifest) -> dict[str, dict[str, Any]]:
    """unit, location and field of each array that the manifest names, by the array's key."""
    if is_gradient(manifest):
        return gradient_labels(manifest["gradient"])
    if is_training(manifest):
        return {
            name: {"unit": "1", "location": "", "field": name}
            for name in manifest["training"].get("arrays", ())
        }
    found: dict[str, dict[str, Any]] = {
        f"mesh.{field}": {"unit": "m" if field in _LENGTHS else "1", "location": "", "field": field}
        for field in mesh_arrays(manifest)
    }
    fields = [case[kind] for case in manifest["cases"] for kind in ("fields", "surface_fields")]
    for group in (*fields, *(grid["fields"] for grid in manifest.get("grids", ()))):
        for field in group:
            found[field["array"]] = {
                "unit": field["unit"],
                "location": field["location"],
                "field": field["name"],
            }
    return found


def _case_to_proto(case: Manifest, arrays: Mapping[str, ArrayRecord]) -> result_pb2.CaseResult:
    return result_pb2.CaseResult(
        name=case["name"],
        quantities=[_quantity_to_proto(quantity) for quantity in case["quantities"]],
        fields=[array_to_proto(arrays[field["array"]]) for field in case["fields"]],
        surface_fields=[array_to_proto(arrays[field["array"]]) for field in case["surface_fields"]],
        equilibrium=_equilibrium_to_proto(case["equilibrium"]) if "equilibrium" in case else None,
        heat_balance=_heat_balance_to_proto(case["heat_balance"]) if "heat_balance" in case else None,
    )


def _equilibrium_to_proto(balance: Manifest) -> result_pb2.Equilibrium:
    return result_pb2.Equilibrium(
        applied_force=vector_to_proto(_floats(balance["applied_force"])),
        reaction_force=vector_to_proto(_floats(balance["reaction_force"])),
        applied_moment=vector_to_proto(_floats(balance["applied_moment"])),
        reaction_moment=vector_to_proto(_floats(balance["reaction_moment"])),
        residual=float(balance["residual"]),
    )


def _heat_balance_to_proto(balance: Manifest) -> result_pb2.HeatBalance:
    terms = [
        result_pb2.HeatBalance.Term(kind=term["kind"], on=term["on"], heat=float(term["heat"]))
        for term in balance["terms"]
    ]
    return result_pb2.HeatBalance(terms=terms, residual=float(balance["residual"]))


def _case_from_proto(
    message: result_pb2.CaseResult, key: Callable[[array_pb2.ArrayInfo], str]
) -> dict[str, Any]:
    return {
        "name": message.name,
        "quantities": [_quantity_from_proto(quantity) for quantity in message.quantities],
        "fields": [_field(info, key(info)) for info in message.fields],
        "surface_fields": [_field(info, key(info)) for info in message.surface_fields],
        **_balance_from_proto(message),
    }


def _balance_from_proto(message: result_pb2.CaseResult) -> dict[str, Any]:
    if message.HasField("heat_balance"):
        heat = message.heat_balance
        terms = [{"kind": term.kind, "on": term.on, "heat": term.heat} for term in heat.terms]
        return {"heat_balance": {"terms": terms, "residual": heat.residual}}
    if not message.HasField("equilibrium"):
        return {}
    balance = message.equilibrium
    return {
        "equilibrium": {
            "applied_force": list(vector_from_proto(balance.applied_force)),
            "reaction_force": list(vector_from_proto(balance.reaction_force)),
            "applied_moment": list(vector_from_proto(balance.applied_moment)),
            "reaction_moment": list(vector_from_proto(balance.reaction_moment)),
            "residual": balance.residual,
        },
    }


def _field(info: array_pb2.ArrayInfo, key: str) -> dict[str, str]:
    record = array_from_proto(info)
    return {"name": record.field, "unit": record.unit, "location": record.location, "array": key}


def _quantity_to_proto(quantity: Manifest) -> result_pb2.Quantity:
    vector = isinstance(quantity["value"], list)
    values = _floats(quantity["value"]) if vector else [float(quantity["value"])]
    # One error may stand for all components.
    several = isinstance(quantity["error"], list)
    errors = _floats(quantity["error"]) if several else [float(quantity["error"])] * len(values)
    return result_pb2.Quantity(
        name=quantity["name"],
        values=values,
        unit=quantity["unit"] or "1",
        errors=errors,
        note=quantity["note"],
        scale=quantity.get("scale"),
        vector=vector,
    )


def _quantity_from_proto(message: result_pb2.Quantity) -> dict[str, Any]:
    return {
        "name": message.name,
        "value": list(message.values) if message.vector else message.values[0],
        "unit": "" if message.unit == "1" else message.unit,
        "error": list(message.errors) if message.vector else message.errors[0],
        "note": message.note,
        "scale": message.scale if message.HasField("scale") else None,
    }


def _glyph_to_proto(glyph: Manifest, get_array: Callable[[str], Array], most: int) -> result_pb2.Glyph:
    points = get_array(glyph["points"])
    every = max(1, -(-len(points) // max(1, most)))
    directions = (
        [] if glyph["directions"] is None else get_array(glyph["directions"])[::every].ravel().tolist()
    )
    return result_pb2.Glyph(
        kind=glyph["kind"],
        label=glyph["label"],
        points=points[::every].ravel().tolist(),
        directions=directions,
        load_case=glyph["case"] or "",
    )


def _glyph_from_proto(index: int, message: result_pb2.Glyph, inline: dict[str, Array]) -> dict[str, Any]:
    points, directions = f"glyph.{index}.points", f"glyph.{index}.directions"
    inline[points] = np.array(message.points, dtype=np.float64).reshape(-1, 3)
    if message.directions:
        inline[directions] = np.array(message.directions, dtype=np.float64).reshape(-1, 3)
    return {
        "kind": message.kind,
        "label": message.label,
        "case": message.load_case or None,
        "points": points,
        "directions": directions if message.directions else None,
    }


def _row_to_proto(row: Manifest) -> result_pb2.ConvergenceRow:
    return result_pb2.ConvergenceRow(
        unknowns=row["unknowns"],
        size=float(row["size"]),
        iterations=row["iterations"],
        residual=float(row["residual"]),
        seconds=float(row["seconds"]),
        quantities=_numbers(row["quantities"]),
        errors=_numbers(row.get("errors", {})),
    )


def _row_from_proto(message: result_pb2.ConvergenceRow) -> dict[str, Any]:
    return {
        "unknowns": message.unknowns,
        "size": message.size,
        "iterations": message.iterations,
        "residual": message.residual,
        "seconds": message.seconds,
        "quantities": dict(message.quantities),
        "errors": dict(message.errors),
    }


def _floats(values: list[Any]) -> list[float]:
    # JSON has no infinity: the manifest writes "inf".
    return [float(value) for value in values]


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items()}


def _place_to_proto(place: Manifest, get_array: Callable[[str], Array], most: int) -> result_pb2.Singularity:
    segments = get_array(place["segments"])
    every = max(1, -(-len(segments) // max(1, most)))
    return result_pb2.Singularity(
        kind=place["kind"],
        label=place["label"],
        segments=segments[::every].ravel().tolist(),
        radius=place["radius"],
        load_case=place.get("case") or "",
    )


def _place_from_proto(
    index: int, message: result_pb2.Singularity, inline: dict[str, Array]
) -> dict[str, Any]:
    segments = f"singularity.{index}.segments"
    inline[segments] = np.array(message.segments, dtype=np.float64).reshape(-1, 6)
    return {
        "kind": message.kind,
        "label": message.label,
        "radius": message.radius,
        "case": message.load_case or None,
        "segments": segments,
    }
