"""Designs as columns: CSV, Parquet."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, final

import numpy as np
from numpy.typing import NDArray

from twin.errors import InvalidInput, TwinError
from twin.quantities import Quantity
from twin.sweeps.columns import ERROR
from twin.sweeps.parameters import Choice
from twin.sweeps.space import Space

SUFFIXES: Final = (".csv", ".parquet")
_AXES: Final = ("x", "y", "z")


class Row(Protocol):
    """A design, as a table takes it. found: quantities by load case and name."""

    @property
    def index(self) -> int: ...
    @property
    def values(self) -> tuple[float, ...]: ...
    @property
    def state(self) -> str: ...
    @property
    def run(self) -> str: ...
    @property
    def found(self) -> Mapping[str, Mapping[str, Quantity]]: ...
    @property
    def error(self) -> TwinError | None: ...
    @property
    def preview(self) -> bool: ...


@final
@dataclass(frozen=True, eq=False)
class Table(Mapping[str, NDArray[Any]]):
    """Designs by their index, a column for each parameter and each quantity; NaN where a design has none.

    columns: by name: "design", "state", the parameters (words of choices), the quantities with their errors
    ("max_von_mises", "max_von_mises_error"), components of vectors as "reaction_force_x"; with several load cases
    "case.max_von_mises"; then "run", "reason", why there is nothing, and "preview", whether a design was one
    units: SI, of the columns that have one; space: of the parameters
    """

    columns: Mapping[str, NDArray[Any]]
    units: Mapping[str, str]
    space: Space

    @staticmethod
    def of(space: Space, rows: Sequence[Row]) -> Table:
        """The table of these designs."""
        columns: dict[str, NDArray[Any]] = {
            "design": np.array([row.index for row in rows], np.int64),
            "state": np.array([row.state for row in rows], np.str_),
        }
        units = {}
        for position, parameter in enumerate(space.parameters):
            values = [row.values[position] for row in rows]
            words = isinstance(parameter, Choice)
            columns[parameter.name] = np.array(
                [parameter.label(value) for value in values] if words else values,
                np.str_ if words else np.float64,
            )
            units[parameter.name] = parameter.unit
        several = len({case for row in rows for case in row.found}) > 1
        numbers = [dict(_numbers(row.found, several)) for row in rows]
        for name in dict.fromkeys(name for found in numbers for name in found):
            columns[name] = np.array([found[name][0] if name in found else np.nan for found in numbers])
            units[name] = next(found[name][1] for found in numbers if name in found)
        columns["run"] = np.array([row.run for row in rows], np.str_)
        columns["reason"] = np.array(
            ["" if row.error is None else row.error.message for row in rows], np.str_
        )
        columns["preview"] = np.array([row.preview for row in rows], bool)
        return Table(columns, {name: unit for name, unit in units.items() if unit}, space)

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self.columns:
            raise KeyError(f"there is no column {name!r}; there are {', '.join(self.columns)}")
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def done(self) -> NDArray[np.bool_]:
        """Which designs have quantities."""
        return self.columns["state"] == "DONE"

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Which designs have quantities to the accuracy that was asked for: those of `done` that are no previews."""
        return self.done & ~self.columns["preview"]

    @property
    def quantities(self) -> list[str]:
        """The columns of quantities, without their errors."""
        names = list(self.columns)
        after = len(self.space.parameters) + 2
        return [name for name in names[after : names.index("run")] if not name.endswith(ERROR)]

    def save(self, path: str | Path) -> Path:
        """Write it: .csv (units in the header, in brackets) or .parquet (units with the columns)."""
        path = Path(path)
        match path.suffix.lower():
            case ".csv":
                self._save_csv(path)
            case ".parquet":
                self._save_parquet(path)
            case _:
                raise InvalidInput(f"a table can be written as {' or '.join(SUFFIXES)}, not as {path.name}")
        return path

    def _save_csv(self, path: Path) -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow([f"{name} [{self.units[name]}]" if name in self.units else name for name in self])
            columns = [column.tolist() for column in self.columns.values()]
            rows.writerows(
                ["" if isinstance(value, float) and np.isnan(value) else value for value in row]
                for row in zip(*columns, strict=True)
            )

    def _save_parquet(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        arrays = [
            pa.array(column.tolist() if column.dtype.kind == "U" else column)
            for column in self.columns.values()
        ]
        fields = [
            pa.field(name, array.type, metadata={"unit": self.units.get(name, "")})
            for name, array in zip(self, arrays, strict=True)
        ]
        pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), path)


def _numbers(
    found: Mapping[str, Mapping[str, Quantity]], several: bool
) -> Iterator[tuple[str, tuple[float, str]]]:
    """Name, value and unit of each column that a design fills."""
    for case, quantities in found.items():
        for name, quantity in quantities.items():
            values, errors = np.atleast_1d(quantity.value), np.atleast_1d(quantity.error)
            for axis, value, error in zip(_AXES, values, errors, strict=False):
                column = f"{case}.{name}" if several else name
                column += f"_{axis}" if len(values) > 1 else ""
                yield column, (float(value), quantity.unit)
                yield column + ERROR, (float(error), quantity.unit)
