"""One JSON object per line, each with a `kind`; numbers are SI."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import is_dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TextIO, final

import numpy as np

from twin.cli.doctor import Finding
from twin.cli.output import Output
from twin.errors import TwinError, to_record
from twin.materials import Material
from twin.quantities import Quantity
from twin.sdk.part import Part
from twin.sdk.result import Result
from twin.sdk.run import Run
from twin.sdk.surrogate import Surrogate
from twin.sdk.sweep import Sweep
from twin.sdk.update import RunInfo, SweepInfo
from twin.sweeps.table import Table


@final
class JsonLines(Output):
    def __init__(self, stream: TextIO, errors: TextIO) -> None:
        self._stream: Final = stream
        self._errors: Final = errors

    def note(self, text: str) -> None:
        self._line("note", text=text)

    def serving(self, address: str, home: Path) -> None:
        self._line("serving", address=address, home=home)

    def part(self, part: Part) -> None:
        self._line("part", id=part.id, name=part.name, report=part.report)

    def follow(self, run: Run) -> None:
        self._line("run", name=run.name)
        said = None
        for update in run.watch():
            news = replace(update, sequence=0, time=datetime.min)
            if news != said:
                self._line("update", run=run.name, **_fields(update))
            said = news

    def result(self, result: Result) -> None:
        for name in result.cases:
            case = result.case(name)
            balances = {"equilibrium": case.equilibrium, "heat_balance": case.heat_balance}
            balance = {name: found for name, found in balances.items() if found is not None}
            self._line("case", run=result.run, case=name, quantities=case.quantities, **balance)
        self._line(
            "result", run=result.run, warnings=result.warnings, assumptions=result.assumptions,
            mesher=result.mesher, cost=result.cost, provenance=result.provenance,
            rungs=result.rungs,
        )  # fmt: skip

    def wrote(self, path: Path) -> None:
        self._line("file", path=str(path), bytes=path.stat().st_size)

    def runs(self, runs: Sequence[RunInfo]) -> None:
        for run in runs:
            self._line("run", **_fields(run))

    def follow_sweep(self, sweep: Sweep) -> None:
        self._line("sweep", name=sweep.name)
        for update in sweep.watch():
            if update.design is not None:
                self._line("design", sweep=sweep.name, **_fields(update.design))
            else:
                self._line("update", sweep=sweep.name, state=update.state, counts=update.counts)

    def table(self, table: Table) -> None:
        self._line("table", designs=len(table["design"]), columns=list(table), units=table.units)

    def sweeps(self, sweeps: Sequence[SweepInfo]) -> None:
        for sweep in sweeps:
            self._line("sweep", **_fields(sweep))

    def surrogate(self, surrogate: Surrogate) -> None:
        for version, card in surrogate.cards.items():
            current = version == surrogate.current
            self._line("surrogate", name=surrogate.name, version=version, current=current, card=card)

    def surrogates(self, surrogates: Sequence[Surrogate]) -> None:
        for surrogate in surrogates:
            self.surrogate(surrogate)

    def materials(self, materials: Mapping[str, Material]) -> None:
        for name, material in materials.items():
            self._line("material", **{**_fields(material), "name": name})

    def findings(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self._line("finding", **_fields(finding))

    def error(self, error: TwinError) -> None:
        self._line("error", **to_record(error))
        # For whoever only looks at what a script prints beside its output.
        self._errors.write(f"error: {error.message}\n")

    def _line(self, kind: str, **facts: Any) -> None:
        self._stream.write(json.dumps({"kind": kind, **_plain(facts)}, allow_nan=False) + "\n")
        self._stream.flush()


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def _plain(value: Any) -> Any:
    """In JSON's words. An infinite number (an error that is not known) is null: JSON has no word for it."""
    match value:
        case Quantity():
            record = {"value": value.value, "unit": value.unit, "error": value.error, "note": value.note}
            return _plain(record)
        case TwinError():
            return to_record(value)
        case datetime():
            return value.isoformat()
        case Mapping():
            return {str(key): _plain(entry) for key, entry in value.items()}
        case np.ndarray() | np.generic():
            return _plain(value.tolist())
        case Path():
            return str(value)
        case list() | tuple():
            return [_plain(entry) for entry in value]
        case float():
            return value if math.isfinite(value) else None
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _plain(_fields(value))
        case _:
            return value
