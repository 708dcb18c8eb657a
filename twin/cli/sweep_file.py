"""Sweep files: a study file (twin.cli.study_file) with parameters, and how designs are chosen.

    constraints = ["2 * wall < width"]          # designs that break one are not made
    [parameters]
    load = { low = "1 kN", high = "5 kN" }      # or low, high, integer = true; or levels = [...]
    alloy = { options = ["Ti-6Al-4V", "316L"] } # a choice of materials
    [sampling]                                  # or several, one after the other: [[sampling]]
    type = "Sobol"                              # or LatinHypercube, Halton, Factorial, Points, Evolution ...
    count = 64
    [preview]                                   # how designs are solved that type = "Verification" chooses from
    discretisation = "grid"
    accuracy = 0.2

In a sweep a string that begins with "=" stands for a number, in SI: "=-2 * load"; or for a material: "=alloy". The
samplings take what they take in the SDK; Points have `columns`, a list for each parameter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from twin import studies
from twin.cli import study_file
from twin.cli.tables import Table, called, choice, listed, named, needed, only, place, table_of, text_of, toml
from twin.errors import StudyError
from twin.sweeps.expressions import Formula
from twin.sweeps.parameters import Choice, Expression, Integers, Levels, Parameter, Range, Term
from twin.sweeps.sampling import SAMPLINGS, Points, Sampling
from twin.sweeps.sampling import table as tabled


@final
@dataclass(frozen=True)
class SweepFile:
    """study, request: as of a StudyFile; the rest: as of client.sweep. samplings: none where the file says nothing."""

    study: studies.Study
    request: studies.Request
    parameters: tuple[Parameter, ...]
    samplings: tuple[Sampling, ...]
    constraints: tuple[str, ...]
    shape: tuple[studies.FreeForm, ...]
    preview: studies.Preview | None


def read(path: Path, options: Table | None = None) -> SweepFile:
    """The sweep in a file, as `twin.cli.study_file.read` reads a study."""
    text = text_of(path)
    with place(path.name):
        return parse(text, options)


def parse(text: str, options: Table | None = None) -> SweepFile:
    """The sweep in a text of TOML; `options` win over those in it."""
    table = toml(text)
    with place("parameters"):
        entries = table_of(table.get("parameters", {}))
    parameters = {name: _parameter(name, entry) for name, entry in entries.items()}
    with place("constraints"):
        constraints = table.get("constraints", [])
        if not isinstance(constraints, list) or not all(isinstance(text, str) for text in constraints):
            raise StudyError(
                f"expected a list of comparisons, such as '2 * wall < width', got {constraints!r}"
            )
    given = table.get("sampling", [])
    samplings = tuple(
        _sampling(entry, tuple(parameters.values()))
        for entry in (given if isinstance(given, list) else [given])
    )
    preview = None
    if "preview" in table:
        with place("preview"):
            preview = called(studies.Preview, table_of(table["preview"]))
    rest = {word: value for word, value in table.items() if word not in study_file.SWEEP_WORDS}
    asked = study_file.of_table(_filled_in(rest, parameters), options)
    return SweepFile(
        asked.study,
        asked.request,
        tuple(parameters.values()),
        samplings,
        tuple(constraints),
        asked.shape,
        preview,
    )


def _parameter(name: str, value: Any) -> Parameter:
    with place(f"parameters.{name}"):
        table = dict(table_of(value))
        if "options" in table:
            only(table, ("options",))
            return Choice(name, table["options"])
        if "levels" in table:
            only(table, ("levels", "unit"))
            return Levels(name, listed(table.pop("levels"), "levels"), **table)
        only(table, ("low", "high", "unit", "integer"))
        build = Integers if table.pop("integer", False) else Range
        parameter: Parameter = called(build, {"name": name, **table})
        return parameter


def _sampling(value: Any, parameters: tuple[Parameter, ...]) -> Sampling:
    with place("sampling"):
        table = dict(table_of(value))
        kinds = named(*SAMPLINGS)
        build = choice(kinds, table.pop("type", None), "sampling")
        if build is Points:
            only(table, ("columns",))
            return tabled(parameters, dict(table_of(needed(table, "columns"))))
        made: Sampling = called(build, table)
        return made


def _filled_in(value: Any, parameters: Mapping[str, Parameter]) -> Any:
    """With parameters in place of the strings that begin with "="."""
    match value:
        case str() if value.startswith("="):
            text = value[1:].strip()
            chosen = parameters.get(text)
            if isinstance(chosen, Choice):
                return chosen
            terms = {name: term.nominal for name, term in parameters.items() if isinstance(term, Term)}
            formula = Formula(text)
            formula.check(terms)
            nominal = float(formula(terms))
            return Expression(text, nominal if math.isfinite(nominal) else 1.0)
        case Mapping():
            return {key: _filled_in(entry, parameters) for key, entry in value.items()}
        case list():
            return [_filled_in(entry, parameters) for entry in value]
    return value
