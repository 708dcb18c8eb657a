"""Study files: the words of the SDK in TOML.

    type = "StaticStress"                       # may be left out; or "HeatConduction", or "ExternalFlow" (below)
    material = "Ti-6Al-4V"                      # or a table: [material] youngs_modulus = "113.8 GPa" ...
    accuracy = 0.05                             # and the other options of client.simulate

    [[supports]]
    type = "Fixed"
    on = { cylinder = { point = ["38 mm", "18 mm", "5 mm"], axis = [0, 0, 1], radius = "4.6 mm" } }

    [[loads]]                                   # or [[load_cases.NAME]], one table for each load
    type = "Force"
    vector = "(0, 0, -2) kN"
    on = { any = [{ patch = [3, 4] }, { all = [{ group = "top" }, { not = { facing = { ... } } }] }] }

    [[bodies]]                                  # made of another material than the rest
    on = { group = "pin" }
    material = "316L"

    [[shape]]                                   # boxes that deform the part first; in a study too
    min = [0, 0, 0]
    max = ["80 mm", "40 mm", "30 mm"]
    control = [2, 2, 3]
    moves = [{ at = [0, 0, 2], by = [0, 0, "=rise"] }]

    constraints = ["2 * wall < width"]          # of a sweep, as are the tables that follow
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

A flow round the part has other words:

    type = "ExternalFlow"
    velocity = "(30, 0, 0) m/s"
    fluid = "air"                               # or "water"; or a table: [fluid] density, viscosity ...
    up = [0, 0, 1]
    reference_area = "0.05 m^2"                 # and reference_length; both may be left out
    [ground]                                    # where there is one: height, moving
    moving = true

A selector is a table of one word: plane, box, sphere, cylinder, facing with their parameters, `patch` with a
number or a list, `group` with a name, and the combinations `all`, `any` (lists) and `not`. The string "all"
is the whole surface. Numbers are SI, strings carry a unit.
"""

from __future__ import annotations

import difflib
import inspect
import math
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, Final, final

from twin import select, studies
from twin.errors import StudyError, TwinError
from twin.materials import Fluid, Material
from twin.sweeps.expressions import Formula
from twin.sweeps.parameters import Choice, Expression, Integers, Levels, Parameter, Range, Term
from twin.sweeps.sampling import SAMPLINGS, Points, Sampling
from twin.sweeps.sampling import table as tabled

Table = Mapping[str, Any]

Kinds = Mapping[str, Callable[..., Any]]


def _named(*kinds: type) -> Kinds:
    return {kind.__name__: kind for kind in kinds}


@final
@dataclass(frozen=True)
class StudyKind:
    """The words of one kind of study of a part itself."""

    build: Callable[..., studies.PartStudy]
    supports: Kinds
    loads: Kinds


STUDIES: Final[Mapping[str, StudyKind]] = {
    "StaticStress": StudyKind(
        studies.StaticStress, {**_named(*studies.SUPPORTS), "Roller": studies.Roller}, _named(*studies.LOADS)
    ),
    "HeatConduction": StudyKind(
        studies.HeatConduction, _named(*studies.THERMAL_SUPPORTS), _named(*studies.THERMAL_LOADS)
    ),
}
FLOW: Final = "ExternalFlow"
SELECTORS: Final[Mapping[str, Callable[..., Any]]] = {
    "plane": select.plane,
    "box": select.box,
    "sphere": select.sphere,
    "cylinder": select.cylinder,
    "facing": select.facing,
}
REQUEST_WORDS: Final = tuple(
    name for name in inspect.signature(studies.Request).parameters if name != "imported"
)
"""How a study or a sweep is to be computed."""
SWEEP_WORDS: Final = ("parameters", "sampling", "constraints", "preview")
_COMBINATIONS: Final = ("all", "any", "not", "patch", "group")


@final
@dataclass(frozen=True)
class StudyFile:
    """study: the question; request: how it is to be answered; shape: how the part is deformed first."""

    study: studies.Study
    request: studies.Request
    shape: tuple[studies.FreeForm, ...] = ()


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


def read(path: Path, options: Table | None = None) -> StudyFile:
    """The study in a file; `options` win over those in it.

    Raises StudyError, or another InvalidInput, that names the place in the file.
    """
    text = _text(path)
    with _place(path.name):
        return parse(text, options)


def read_sweep(path: Path, options: Table | None = None) -> SweepFile:
    """The sweep in a file, as `read` reads a study."""
    text = _text(path)
    with _place(path.name):
        return parse_sweep(text, options)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise StudyError(f"the study file {path} can't be read: {reason}") from None


def parse(text: str, options: Table | None = None) -> StudyFile:
    """The study in a text of TOML; `options` win over those in it."""
    table = _toml(text)
    for word in SWEEP_WORDS:
        if word in table:
            raise StudyError(f"{word} is of a sweep: solve it with `twin sweep`")
    return _study(table, options)


def parse_sweep(text: str, options: Table | None = None) -> SweepFile:
    """The sweep in a text of TOML; `options` win over those in it."""
    table = _toml(text)
    with _place("parameters"):
        entries = _table(table.get("parameters", {}))
    parameters = {name: _parameter(name, entry) for name, entry in entries.items()}
    with _place("constraints"):
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
        with _place("preview"):
            preview = _call(studies.Preview, _table(table["preview"]))
    rest = {word: value for word, value in table.items() if word not in SWEEP_WORDS}
    asked = _study(_filled_in(rest, parameters), options)
    return SweepFile(
        asked.study,
        asked.request,
        tuple(parameters.values()),
        samplings,
        tuple(constraints),
        asked.shape,
        preview,
    )


def _toml(text: str) -> Table:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"not TOML: {error}") from None


def _parameter(name: str, value: Any) -> Parameter:
    with _place(f"parameters.{name}"):
        table = dict(_table(value))
        if "options" in table:
            _known(table, ("options",))
            return Choice(name, table["options"])
        if "levels" in table:
            _known(table, ("levels", "unit"))
            return Levels(name, _list(table.pop("levels"), "levels"), **table)
        _known(table, ("low", "high", "unit", "integer"))
        build = Integers if table.pop("integer", False) else Range
        parameter: Parameter = _call(build, {"name": name, **table})
        return parameter


def _sampling(value: Any, parameters: tuple[Parameter, ...]) -> Sampling:
    with _place("sampling"):
        table = dict(_table(value))
        kinds = _named(*SAMPLINGS)
        build = _choice(kinds, table.pop("type", None), "sampling")
        if build is Points:
            _known(table, ("columns",))
            return tabled(parameters, dict(_table(_needed(table, "columns"))))
        made: Sampling = _call(build, table)
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


def _study(table: Table, options: Table | None) -> StudyFile:
    study = _flow(table) if table.get("type") == FLOW else _part_study(table)
    shape = tuple(
        _free_form(entry, f"shape[{index}]")
        for index, entry in enumerate(_list(table.get("shape", []), "shape"))
    )
    request = {name: table[name] for name in REQUEST_WORDS if name in table} | dict(options or {})
    return StudyFile(study, _call(studies.Request, request), shape)


def _flow(table: Table) -> studies.ExternalFlow:
    words = ("velocity", "fluid", "up", "ground", "reference_area", "reference_length")
    _known(table, ("type", *words, "shape", *REQUEST_WORDS))
    given = {word: table[word] for word in words if word in table}
    _needed(table, "velocity")
    for word, build in (("fluid", Fluid), ("ground", studies.Ground)):
        if word in given and not isinstance(given[word], str):
            with _place(word):
                given[word] = _call(build, _table(given[word]))
    made: studies.ExternalFlow = _call(studies.ExternalFlow, given)
    return made


def _part_study(table: Table) -> studies.PartStudy:
    _known(table, ("type", "material", "supports", "loads", "load_cases", "bodies", "shape", *REQUEST_WORDS))
    kind = _choice({**STUDIES, FLOW: None}, table.get("type", "StaticStress"), "study")
    assert kind is not None  # that of flow is read elsewhere
    given: dict[str, Any] = {"material": _material(_needed(table, "material"))}
    given["supports"] = _things(table.get("supports", []), kind.supports, "supports")
    if "loads" in table:
        given["loads"] = _things(table["loads"], kind.loads, "loads")
    if "load_cases" in table:
        with _place("load_cases"):
            cases = _table(table["load_cases"])
        given["load_cases"] = {
            name: _things(loads, kind.loads, f"load_cases.{name}") for name, loads in cases.items()
        }
    if "bodies" in table:
        given["bodies"] = [
            _body(entry, f"bodies[{index}]") for index, entry in enumerate(_list(table["bodies"], "bodies"))
        ]
    made: studies.PartStudy = _call(kind.build, given)
    return made


def _free_form(value: Any, place: str) -> studies.FreeForm:
    with _place(place):
        table = dict(_table(value))
        moves = {}
        for index, entry in enumerate(_list(table.get("moves", []), "moves")):
            with _place(f"moves[{index}]"):
                move = _table(entry)
                _known(move, ("at", "by"))
                moves[tuple(_list(_needed(move, "at"), "at"))] = _needed(move, "by")
        made: studies.FreeForm = _call(studies.FreeForm, table | {"moves": moves})
        return made


def _material(value: Any) -> Any:
    if isinstance(value, str | Choice):
        return value
    with _place("material"):
        return _call(Material, _table(value))


def _list(value: Any, place: str) -> list[Any]:
    with _place(place):
        if not isinstance(value, list):
            raise StudyError(f"expected a list of tables ([[{place}]]), got {value!r}")
    return value


def _body(value: Any, place: str) -> studies.Body:
    with _place(place):
        table = dict(_table(value))
        if "on" in table:
            with _place("on"):
                table["on"] = selector(table["on"])
        if "material" in table:
            table["material"] = _material(table["material"])
        body: studies.Body = _call(studies.Body, table)
        return body


def _things(value: Any, kinds: Mapping[str, Callable[..., Any]], place: str) -> list[Any]:
    entries = _list(value, place)
    return [_thing(entry, kinds, f"{place}[{index}]") for index, entry in enumerate(entries)]


def _thing(value: Any, kinds: Mapping[str, Callable[..., Any]], place: str) -> Any:
    with _place(place):
        table = dict(_table(value))
        name = _needed(table, "type")
        build = _choice(kinds, name, "type")
        del table["type"]
        if "on" in table:
            with _place("on"):
                table["on"] = selector(table["on"])
        with _place(str(name)):
            return _call(build, table)


def selector(value: Any) -> Any:
    """A selector from its table."""
    if value == "all":
        return select.all()
    table = _table(value)
    if len(table) != 1:
        raise StudyError(
            f"a selector has one word, got {', '.join(table) or 'none'}; join several by all, any, not"
        )
    ((word, given),) = table.items()
    _known(table, (*SELECTORS, *_COMBINATIONS))
    with _place(word):
        match word:
            case "all":
                return reduce(lambda a, b: a & b, _operands(given))
            case "any":
                return reduce(lambda a, b: a | b, _operands(given))
            case "not":
                return ~selector(given)
            case "patch":
                return select.patch(*(given if isinstance(given, list) else [given]))
            case "group":
                return _call(select.group, {"name": given})
            case _:
                return _call(SELECTORS[word], _table(given))


def _operands(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise StudyError(f"expected a list of selectors, got {value!r}")
    return [selector(entry) for entry in value]


def _call(build: Callable[..., Any], given: Table) -> Any:
    """Build a thing from its table, whose keys are the parameters of the SDK."""
    parameters = inspect.signature(build).parameters
    _known(given, tuple(parameters))
    missing = [name for name, p in parameters.items() if p.default is p.empty and name not in given]
    if missing:
        raise StudyError(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing")
    try:
        return build(**given)
    except (TypeError, ValueError) as error:
        # A value of a type that no number, unit or vector can have (a list for a radius, ...).
        raise StudyError(f"a value of the wrong kind: {error}") from None


def _table(value: Any) -> Table:
    if not isinstance(value, Mapping):
        raise StudyError(f"expected a table, got {value!r}")
    return value


def _needed(table: Table, key: str) -> Any:
    if key not in table:
        raise StudyError(f"{key} is missing")
    return table[key]


def _choice(kinds: Mapping[str, Any], name: Any, what: str) -> Any:
    if name not in kinds:
        raise StudyError(f"unknown {what} {name!r}{_near(str(name), kinds)}")
    return kinds[name]


def _known(table: Table, keys: Collection[str]) -> None:
    for key in table:
        if key not in keys:
            raise StudyError(f"unknown key {key!r}{_near(key, keys)}")


def _near(word: str, words: Collection[str]) -> str:
    close = difflib.get_close_matches(
        word.lower(), {known.lower(): known for known in words}, n=3, cutoff=0.5
    )
    by_lower = {known.lower(): known for known in words}
    if close:
        return f"; did you mean {' or '.join(by_lower[match] for match in close)}?"
    return f"; known are {', '.join(words)}"


@contextmanager
def _place(name: str) -> Iterator[None]:
    """Prefix the place to the message of an error, which keeps its class and facts."""
    try:
        yield
    except TwinError as error:
        raise type(error)(f"{name}: {error.message}", error.facts) from None
