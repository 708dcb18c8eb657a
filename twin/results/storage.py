"""An outcome or a gradient as a JSON-able manifest beside named arrays, and back, without loss.

Infinite errors are written as the strings "inf" and "-inf": JSON has no word for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields as dataclass_fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.quantities import Field, Quantity
from twin.results.card import ModelCard, TrainedSurrogate, card_from_record
from twin.results.gradient import Gradient, Sensitivity
from twin.results.outcome import (
    Balance,
    CaseOutcome,
    ConvergenceRow,
    Cost,
    Equilibrium,
    Glyph,
    HeatBalance,
    HeatTerm,
    Outcome,
    Rung,
    Singularity,
    UniformGrid,
)

VERSION = 1


def mesh_arrays(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """The arrays of the mesh that a manifest has: of the kinds of elements one only."""
    return ("points", manifest.get("elements", "tets"), "surface_vertices", "surface_triangles")


def on_grid(manifest: Mapping[str, Any]) -> bool:
    """Whether an answer was found on a grid instead of tetrahedra."""
    return mesh_arrays(manifest)[1] == "hexahedra"


Array = NDArray[Any]
Manifest = dict[str, Any]
GetArray = Callable[[str], Array]


def dump(outcome: Outcome | Gradient | TrainedSurrogate) -> tuple[Manifest, dict[str, Array]]:
    """Manifest (JSON-able) and arrays by name, e.g. "default.displacement", "mesh.points"."""
    if isinstance(outcome, Gradient):
        return _dump_gradient(outcome)
    if isinstance(outcome, TrainedSurrogate):
        return _dump_surrogate(outcome)
    elements = next((name for name in ("hexahedra", "faces") if len(getattr(outcome, name))), "tets")
    arrays: dict[str, Array] = {
        f"mesh.{name}": getattr(outcome, name) for name in mesh_arrays({"elements": elements})
    }
    manifest: Manifest = {
        "version": VERSION,
        "elements": elements,
        "cases": [_dump_case(name, case, arrays) for name, case in outcome.cases.items()],
        "glyphs": [_dump_glyph(index, glyph, arrays) for index, glyph in enumerate(outcome.glyphs)],
        "singularities": [_dump_place(i, place, arrays) for i, place in enumerate(outcome.singularities)],
        "assumptions": list(outcome.assumptions),
        "warnings": list(outcome.warnings),
        "convergence": [_record(row) for row in outcome.convergence],
        "ended": outcome.ended,
        "mesh_quality": _encode(outcome.mesh_quality),
        "mesher": outcome.mesher,
        "provenance": dict(outcome.provenance),
        "cost": _record(outcome.cost),
        "rungs": [_record(rung) for rung in outcome.rungs],
        "grids": [_dump_grid(index, grid, arrays) for index, grid in enumerate(outcome.grids)],
    }
    return manifest, arrays


def load(manifest: Mapping[str, Any], get_array: GetArray) -> Outcome:
    """The outcome that `dump` took apart. Arrays of fields are fetched when a field is first looked up,

    those of the mesh and the glyphs at once. Raises ValueError for a manifest of another version or of a gradient.
    """
    _check_version(manifest)
    if is_gradient(manifest) or is_training(manifest):
        raise ValueError("the result is a gradient or a training")
    mesh: dict[str, Any] = {"tets": np.zeros((0, 10), np.int32)}
    mesh |= {name: get_array(f"mesh.{name}") for name in mesh_arrays(manifest)}
    return Outcome(
        cases={record["name"]: _load_case(record, get_array) for record in manifest["cases"]},
        **mesh,
        glyphs=tuple(_load_glyph(record, get_array) for record in manifest["glyphs"]),
        singularities=tuple(_load_place(record, get_array) for record in manifest.get("singularities", ())),
        assumptions=tuple(manifest["assumptions"]),
        warnings=tuple(manifest["warnings"]),
        convergence=tuple(ConvergenceRow(**_decode(record)) for record in manifest["convergence"]),
        ended=manifest.get("ended"),
        mesh_quality=_decode(manifest["mesh_quality"]),
        mesher=manifest["mesher"],
        provenance=dict(manifest["provenance"]),
        cost=Cost(**_decode(manifest["cost"])),
        rungs=tuple(Rung(**record) for record in manifest.get("rungs", ())),
        grids=tuple(_load_grid(record, get_array) for record in manifest.get("grids", ())),
    )


def on_surface(manifest: Mapping[str, Any]) -> bool:
    """Whether an answer has a surface and no volume: a surrogate's, and one that was imported."""
    return mesh_arrays(manifest)[1] == "faces"


def of_surrogate(manifest: Mapping[str, Any]) -> bool:
    """Whether an answer is that of a surrogate."""
    return "surrogate" in manifest["provenance"]


def is_training(manifest: Mapping[str, Any]) -> bool:
    """Whether a manifest is that of a training, whose card `load_card` reads."""
    return "training" in manifest


def load_card(manifest: Mapping[str, Any]) -> ModelCard:
    """The card of a surrogate that `dump` took apart."""
    _check_version(manifest)
    return card_from_json(manifest["training"]["card"])


def tested(manifest: Mapping[str, Any]) -> dict[str, float]:
    """The errors of the runs that a training was tested on, by name."""
    return dict(_decode(manifest["training"].get("errors", {})))


def card_to_json(card: ModelCard) -> Any:
    """The card of a model, with numbers that JSON does not know in words."""
    return _encode(card.record())


def card_from_json(record: Any) -> ModelCard:
    """Inverse of `card_to_json`."""
    return card_from_record(_decode(record))


def is_gradient(manifest: Mapping[str, Any]) -> bool:
    """Whether a manifest is that of a gradient, which `load_gradient` reads."""
    return "gradient" in manifest


def brief(manifest: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Value, unit and error of each quantity, by case and name: what a table of many results has."""
    return {
        case["name"]: {
            entry["name"]: [entry["value"], entry["unit"], entry["error"]] for entry in case["quantities"]
        }
        for case in manifest.get("cases", ())
    }


def load_brief(found: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Quantity]]:
    """The quantities that `brief` took out of a manifest."""
    return {
        case: {
            name: Quantity(_decode_number(value), unit, _decode_number(error))
            for name, (value, unit, error) in quantities.items()
        }
        for case, quantities in found.items()
    }


def load_gradient(manifest: Mapping[str, Any], get_array: GetArray) -> Gradient:
    """The gradient that `dump` took apart. Raises ValueError for a manifest of another version."""
    _check_version(manifest)
    record = manifest["gradient"]
    return Gradient(
        **{name: record[name] for name in ("of", "case", "quantity", "wrt", "unit")},
        value=_decode_number(record["value"]),
        gap=_decode_number(record["gap"]),
        parameters={
            entry["name"]: Sensitivity(
                get_array(entry["array"]) if "array" in entry else _decode_number(entry["values"]),
                entry["unit"],
            )
            for entry in record["sensitivities"]
        },
        assumptions=tuple(manifest["assumptions"]),
        warnings=tuple(manifest["warnings"]),
        provenance=dict(manifest["provenance"]),
        cost=Cost(**_decode(manifest["cost"])),
    )


def _dump_gradient(gradient: Gradient) -> tuple[Manifest, dict[str, Array]]:
    arrays: dict[str, Array] = {}
    sensitivities = []
    for name, sensitivity in gradient.items():
        entry: Manifest = {"name": name, "unit": sensitivity.unit}
        if sensitivity.values.ndim >= 2:
            entry["array"] = f"gradient.{name.replace('[', '.').replace(']', '')}"
            arrays[entry["array"]] = sensitivity.values
        else:
            entry["values"] = _encode(sensitivity.values)
        sensitivities.append(entry)
    return {
        "version": VERSION,
        "gradient": {
            "of": gradient.of,
            "case": gradient.case,
            "quantity": gradient.quantity,
            "wrt": gradient.wrt,
            "value": _encode(gradient.value),
            "unit": gradient.unit,
            "gap": _encode(gradient.gap),
            "sensitivities": sensitivities,
        },
        "assumptions": list(gradient.assumptions),
        "warnings": list(gradient.warnings),
        "provenance": dict(gradient.provenance),
        "cost": _record(gradient.cost),
    }, arrays


def _dump_surrogate(surrogate: TrainedSurrogate) -> tuple[Manifest, dict[str, Array]]:
    return {
        "version": VERSION,
        "training": {
            "surrogate": surrogate.surrogate,
            "card": card_to_json(surrogate.card),
            "arrays": sorted(surrogate.arrays),
            "errors": _encode(surrogate.errors),
        },
        "assumptions": list(surrogate.assumptions),
        "warnings": list(surrogate.warnings),
        "provenance": dict(surrogate.provenance),
        "cost": _record(surrogate.cost),
    }, dict(surrogate.arrays)


def _check_version(manifest: Mapping[str, Any]) -> None:
    if manifest.get("version") != VERSION:
        raise ValueError(
            f"the result was written in format {manifest.get('version')!r}, this version reads {VERSION}"
        )


class LazyFields(Mapping[str, Field]):
    """Fields whose values are fetched once, when first looked up."""

    def __init__(self, loaders: Mapping[str, Callable[[], Field]]) -> None:
        self._loaders = dict(loaders)
        self._fields: dict[str, Field] = {}

    def __getitem__(self, name: str) -> Field:
        if name not in self._fields:
            self._fields[name] = self._loaders[name]()
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaders)

    def __len__(self) -> int:
        return len(self._loaders)

    def __contains__(self, name: object) -> bool:
        return name in self._loaders


def _dump_case(name: str, case: CaseOutcome, arrays: dict[str, Array]) -> Manifest:
    return {
        "name": name,
        "quantities": [
            {
                "name": key,
                "value": _encode(quantity.value),
                "unit": quantity.unit,
                "error": _encode(quantity.error),
                "note": quantity.note,
                "scale": quantity.scale,
            }
            for key, quantity in case.quantities.items()
        ],
        "fields": _dump_fields(f"{name}.", case.fields, arrays),
        "surface_fields": _dump_fields(f"{name}.surface.", case.surface_fields, arrays),
        **_dump_balance(case.balance),
    }


def _load_case(record: Mapping[str, Any], get_array: GetArray) -> CaseOutcome:
    return CaseOutcome(
        quantities={
            entry["name"]: Quantity(
                _decode_number(entry["value"]),
                entry["unit"],
                _decode_number(entry["error"]),
                entry["note"],
                entry.get("scale"),
            )
            for entry in record["quantities"]
        },
        fields=_load_fields(record["fields"], get_array),
        surface_fields=_load_fields(record["surface_fields"], get_array),
        balance=_load_balance(record),
    )


def _dump_balance(balance: Balance | None) -> Manifest:
    match balance:
        case None:
            return {}
        case Equilibrium():
            return {"equilibrium": _record(balance)}
        case HeatBalance():
            terms = [_record(term) for term in balance.terms]
            return {"heat_balance": {"terms": terms, "residual": _encode(balance.residual)}}


def _load_balance(record: Mapping[str, Any]) -> Balance | None:
    if "equilibrium" in record:
        return Equilibrium(**_decode(record["equilibrium"]))
    if "heat_balance" not in record:
        return None
    given = record["heat_balance"]
    terms = tuple(HeatTerm(**_decode(term)) for term in given["terms"])
    return HeatBalance(terms, _decode_number(given["residual"]))


def _dump_fields(prefix: str, fields: Mapping[str, Field], arrays: dict[str, Array]) -> list[Manifest]:
    records = []
    for name, field in fields.items():
        array = f"{prefix}{name}"
        arrays[array] = field.values
        records.append({"name": name, "unit": field.unit, "location": field.location, "array": array})
    return records


def _load_fields(records: list[Manifest], get_array: GetArray) -> LazyFields:
    def loader(record: Manifest) -> Callable[[], Field]:
        return lambda: Field(record["name"], get_array(record["array"]), record["unit"], record["location"])

    return LazyFields({record["name"]: loader(record) for record in records})


def _dump_glyph(index: int, glyph: Glyph, arrays: dict[str, Array]) -> Manifest:
    points, directions = f"glyph.{index}.points", f"glyph.{index}.directions"
    arrays[points] = glyph.points
    if glyph.directions is not None:
        arrays[directions] = glyph.directions
    return {
        "kind": glyph.kind,
        "label": glyph.label,
        "case": glyph.case,
        "points": points,
        "directions": None if glyph.directions is None else directions,
    }


def _load_glyph(record: Mapping[str, Any], get_array: GetArray) -> Glyph:
    directions = None if record["directions"] is None else get_array(record["directions"])
    return Glyph(record["kind"], record["label"], get_array(record["points"]), directions, record["case"])


def _dump_grid(index: int, grid: UniformGrid, arrays: dict[str, Array]) -> Manifest:
    return {
        "origin": _encode(grid.origin),
        "axes": _encode(grid.axes),
        "spacing": grid.spacing,
        "shape": list(grid.shape),
        "fields": _dump_fields(f"grid.{index}.", grid.fields, arrays),
    }


def _load_grid(record: Mapping[str, Any], get_array: GetArray) -> UniformGrid:
    x, y, z = (tuple(axis) for axis in record["axes"])
    return UniformGrid(
        tuple(record["origin"]),
        (x, y, z),
        record["spacing"],
        tuple(record["shape"]),
        _load_fields(record["fields"], get_array),
    )


def _dump_place(index: int, place: Singularity, arrays: dict[str, Array]) -> Manifest:
    segments = f"singularity.{index}.segments"
    arrays[segments] = place.segments.reshape(-1, 6)
    return {
        "kind": place.kind,
        "label": place.label,
        "radius": place.radius,
        "case": place.case,
        "segments": segments,
    }


def _load_place(record: Mapping[str, Any], get_array: GetArray) -> Singularity:
    segments = get_array(record["segments"]).reshape(-1, 2, 3)
    return Singularity(record["kind"], record["label"], segments, record["radius"], record.get("case"))


def _record(value: Equilibrium | HeatTerm | ConvergenceRow | Cost | Rung) -> Manifest:
    return {field.name: _encode(getattr(value, field.name)) for field in dataclass_fields(value)}


def _encode(value: Any) -> Any:
    """Numbers, arrays and mappings of them in JSON's words; float64 survives (repr round-trips)."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _encode(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encode(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return _encode(value.tolist())
    if isinstance(value, (int, np.integer)):
        return int(value)
    number = float(value)
    return number if np.isfinite(number) else str(number)


def _decode(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _decode_value(value) for key, value in record.items()}


def _decode_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _decode(value)
    if isinstance(value, list):
        return [_decode_value(entry) for entry in value]
    return float(value) if value in ("inf", "-inf", "nan") else value


def _decode_number(value: Any) -> Any:
    """A float, or a (k,) array for a vector."""
    decoded = _decode_value(value)
    return np.asarray(decoded, dtype=np.float64) if isinstance(decoded, list) else float(decoded)
