"""A result as a file for another program, chosen by its suffix: .vtu, .vtm, .npz, .csv or .glb."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from twin.errors import InvalidInput
from twin.results.gltf import save_glb
from twin.results.outcome import CaseOutcome, Outcome
from twin.results.shape import Deformation, case_name
from twin.results.storage import dump

_QUADRATIC_TETRA, _HEXAHEDRON, _QUADRATIC_TRIANGLE = 24, 12, 22
_COMPONENTS = {3: ("X", "Y", "Z"), 6: ("XX", "YY", "ZZ", "XY", "YZ", "XZ")}
_VECTOR_SUFFIXES = ("x", "y", "z")


def save(
    outcome: Outcome,
    path: str | Path,
    case: str | None = None,
    *,
    field: str | None = None,
    deformation: Deformation = 0.0,
) -> Path:
    """Write `path`; its suffix says what.

    .vtu: the mesh (quadratic tetrahedra, metres) with all fields, for ParaView; .vtm: the boxes of cells around a part
    in a flow, one .vti each, in a folder beside it; .npz: every array, and
    "manifest" with the rest as JSON; .csv: quantities with unit and error, a row per component and case;
    .glb: the surface coloured by `field`, by default the main one, for a browser. case: that load case only; by default
    all (.glb: the worst). deformation: factor on the displacement in .glb. Raises InvalidInput for another suffix or
    case.
    """
    path = Path(path)
    writers: Mapping[str, Callable[[], None]] = {
        ".vtu": lambda: save_vtu(outcome, path, case),
        ".vtm": lambda: save_vtm(outcome, path),
        ".npz": lambda: save_npz(outcome, path, case),
        ".csv": lambda: save_csv(outcome, path, case),
        ".glb": lambda: save_glb(outcome, path, case_name(outcome, case), field, deformation),
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        shown = f"the suffix {path.suffix!r}" if path.suffix else "no suffix"
        raise InvalidInput(
            f"{path.name} has {shown}; results are saved as {', '.join(writers)} "
            "(pictures by plot as .png, the report by report as .html)"
        )
    if case is not None:
        case_name(outcome, case)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer()
    return path


def save_vtu(outcome: Outcome, path: Path, case: str | None = None) -> None:
    """VTK XML, binary and compressed.

    Point and cell data carry the name of the field where one case is written, else "case/field"; field data
    say the units ("displacement [unit]") and the quantities.
    """
    import pyvista

    kinds_of = ((outcome.hexahedra, _HEXAHEDRON), (outcome.faces, _QUADRATIC_TRIANGLE))
    elements, kind = next((each for each in kinds_of if len(each[0])), (outcome.tets, _QUADRATIC_TETRA))
    cells = np.concatenate([np.full((len(elements), 1), elements.shape[1]), elements], axis=1).ravel()
    kinds = np.full(len(elements), kind, dtype=np.uint8)
    grid = pyvista.UnstructuredGrid(cells, kinds, outcome.points.astype(np.float64))
    for name, chosen, prefix in _cases(outcome, case):
        for key, field in chosen.fields.items():
            data = grid.cell_data if field.location == "cell" else grid.point_data
            values = np.asarray(field.values, dtype=np.float64)
            data[prefix + key] = values[:, 0] if values.shape[1] == 1 else values
            for index, label in enumerate(_COMPONENTS.get(values.shape[1], ())):
                data.GetArray(prefix + key).SetComponentName(index, label)
            grid.field_data[f"{prefix}{key} [unit]"] = [field.unit]
        for key, quantity in chosen.quantities.items():
            for label, value in (("", quantity.value), (" [error]", quantity.error)):
                grid.field_data[f"{prefix}{key}{label}"] = np.atleast_2d(np.asarray(value, dtype=np.float64))
            grid.field_data[f"{prefix}{key} [unit]"] = [quantity.unit]
        if prefix == "" and len(outcome.cases) > 1:
            grid.field_data["load case"] = [name]
    grid.field_data["length [unit]"] = ["m"]
    for key, text in outcome.provenance.items():
        grid.field_data[f"provenance/{key}"] = [text]
    _, shown, first = _cases(outcome, case)[0]
    if first + shown.main_field in grid.point_data:
        grid.set_active_scalars(first + shown.main_field, preference="point")
    if first + "displacement" in grid.point_data:
        grid.set_active_vectors(first + "displacement")
    grid.save(path)


def save_vtm(outcome: Outcome, path: Path) -> None:
    """Raises InvalidInput where there are no boxes of cells."""
    import pyvista

    if not outcome.grids:
        raise InvalidInput(f"{path.name}: only a study of a flow has boxes of cells.")
    blocks = pyvista.MultiBlock()
    for level, grid in enumerate(outcome.grids):
        box = pyvista.ImageData(
            dimensions=np.array(grid.shape) + 1,
            spacing=(grid.spacing,) * 3,
            origin=grid.origin,
            direction_matrix=np.array(grid.axes).T,
        )
        for name, field in grid.fields.items():
            values = np.asarray(field.values).reshape(*grid.shape, -1)
            box.cell_data[name] = np.squeeze(values.transpose(2, 1, 0, 3).reshape(box.n_cells, -1))
            box.field_data[f"{name} [unit]"] = [field.unit]
        blocks.append(box, f"level {level}")
    blocks.save(path)


def save_npz(outcome: Outcome, path: Path, case: str | None = None) -> None:
    """Every array by the name that the manifest gives it, and "manifest": the rest, as JSON text."""
    if case is not None:
        outcome = _only(outcome, case)
    manifest, arrays = dump(outcome)
    named: dict[str, Any] = {**arrays, "manifest": np.asarray(json.dumps(manifest))}
    with path.open("wb") as file:
        np.savez_compressed(file, **named)


def save_csv(outcome: Outcome, path: Path, case: str | None = None) -> None:
    """case, quantity, value, unit, error, note; SI values; a vector takes a row per component."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["case", "quantity", "value", "unit", "error", "note"])
        for name, chosen, _ in _cases(outcome, case):
            for key, quantity in chosen.quantities.items():
                values, errors = np.atleast_1d(quantity.value), np.atleast_1d(quantity.error)
                suffixes = (
                    [""] if len(values) == 1 else [f"_{axis}" for axis in _VECTOR_SUFFIXES[: len(values)]]
                )
                for suffix, value, error in zip(suffixes, values, errors, strict=True):
                    rows.writerow(
                        [
                            name,
                            key + suffix,
                            repr(float(value)),
                            quantity.unit,
                            repr(float(error)),
                            quantity.note,
                        ]
                    )


def _cases(outcome: Outcome, case: str | None) -> list[tuple[str, CaseOutcome, str]]:
    """Name, case, and what goes before its fields' names: nothing where it stands alone."""
    names = list(outcome.cases) if case is None else [case]
    return [(name, outcome.cases[name], "" if len(names) == 1 else f"{name}/") for name in names]


def _only(outcome: Outcome, case: str) -> Outcome:
    glyphs = tuple(glyph for glyph in outcome.glyphs if glyph.case in (None, case))
    return replace(outcome, cases={case: outcome.cases[case]}, glyphs=glyphs)
