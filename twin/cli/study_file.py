"""Study files: the words of the SDK in TOML.

    type = "StaticStress"                       # may be left out; or "HeatConduction", or a flow (below)
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

A flow round the part has other words:

    type = "ExternalFlow"
    velocity = "(30, 0, 0) m/s"
    fluid = "air"                               # or "water"; or a table: [fluid] density, viscosity ...
    up = [0, 0, 1]
    reference_area = "0.05 m^2"                 # reference_length and reference_point too; all may be left out
    [ground]                                    # where there is one: height, moving
    moving = true
    [[rotating]]                                # wheels and the like: axis, point, rate, on
    axis = [0, 1, 0]
    point = [0, 0, "0.3 m"]
    rate = "800 rpm"
    on = { group = "wheel" }

A flow through the part has openings by their names; inlets have a velocity or a flow_rate, and a profile ("developed"
or "uniform"):

    type = "InternalFlow"
    fluid = "water"
    inlets.supply = { on = { group = "port_a" }, flow_rate = "0.1 l/min" }
    outlets.left = { on = { group = "port_b" } }
    outlets.right = { on = { group = "port_c" }, pressure = "2 Pa" }

A selector is a table of one word: plane, box, sphere, cylinder, facing with their parameters, `patch` with a
number or a list, `group` with a name, and the combinations `all`, `any` (lists) and `not`. The string "all"
is the whole surface. Numbers are SI, strings carry a unit.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, Final, final

from twin import select, studies
from twin.cli.tables import (
    Kinds,
    Table,
    called,
    choice,
    listed,
    named,
    needed,
    only,
    place,
    table_of,
    text_of,
    toml,
)
from twin.errors import StudyError
from twin.materials import Fluid, Material
from twin.sweeps.parameters import Choice


@final
@dataclass(frozen=True)
class StudyKind:
    """The words of one kind of study of a part itself."""

    build: Callable[..., studies.PartStudy]
    supports: Kinds
    loads: Kinds


STUDIES: Final[Mapping[str, StudyKind]] = {
    "StaticStress": StudyKind(
        studies.StaticStress, {**named(*studies.SUPPORTS), "Roller": studies.Roller}, named(*studies.LOADS)
    ),
    "HeatConduction": StudyKind(
        studies.HeatConduction, named(*studies.THERMAL_SUPPORTS), named(*studies.THERMAL_LOADS)
    ),
}
OPENINGS: Final[Mapping[str, Callable[..., Any]]] = {"inlets": studies.Inlet, "outlets": studies.Outlet}
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


def read(path: Path, options: Table | None = None) -> StudyFile:
    """The study in a file; `options` win over those in it.

    Raises StudyError, or another InvalidInput, that names the place in the file.
    """
    text = text_of(path)
    with place(path.name):
        return parse(text, options)


def parse(text: str, options: Table | None = None) -> StudyFile:
    """The study in a text of TOML; `options` win over those in it."""
    table = toml(text)
    for word in SWEEP_WORDS:
        if word in table:
            raise StudyError(f"{word} is of a sweep: solve it with `twin sweep`")
    return of_table(table, options)


def of_table(table: Table, options: Table | None) -> StudyFile:
    """The study in a table; `options` win over those in it."""
    kind = choice({name: name for name in (*STUDIES, *_FLOWS)}, table.get("type", "StaticStress"), "study")
    study = _FLOWS[kind](table) if kind in _FLOWS else _part_study(table, STUDIES[kind])
    shape = tuple(
        _free_form(entry, f"shape[{index}]")
        for index, entry in enumerate(listed(table.get("shape", []), "shape"))
    )
    request = {name: table[name] for name in REQUEST_WORDS if name in table} | dict(options or {})
    return StudyFile(study, called(studies.Request, request), shape)


def _external_flow(table: Table) -> studies.ExternalFlow:
    words = (
        "velocity",
        "fluid",
        "up",
        "ground",
        "reference_area",
        "reference_length",
        "reference_point",
        "rotating",
    )
    only(table, ("type", *words, "shape", *REQUEST_WORDS))
    given = {word: table[word] for word in words if word in table}
    needed(table, "velocity")
    _built(given, fluid=Fluid, ground=studies.Ground)
    if "rotating" in given:
        given["rotating"] = [
            _on_surface(studies.Rotating, entry, f"rotating[{index}]")
            for index, entry in enumerate(listed(given["rotating"], "rotating"))
        ]
    made: studies.ExternalFlow = called(studies.ExternalFlow, given)
    return made


def _internal_flow(table: Table) -> studies.InternalFlow:
    only(table, ("type", "fluid", *OPENINGS, "shape", *REQUEST_WORDS))
    given = {word: table[word] for word in ("fluid",) if word in table}
    _built(given, fluid=Fluid)
    for word, build in OPENINGS.items():
        with place(word):
            openings = table_of(needed(table, word))
        given[word] = {name: _on_surface(build, each, f"{word}.{name}") for name, each in openings.items()}
    made: studies.InternalFlow = called(studies.InternalFlow, given)
    return made


_FLOWS: Final[Mapping[str, Callable[[Table], studies.FlowStudy]]] = {
    "ExternalFlow": _external_flow,
    "InternalFlow": _internal_flow,
}


def _built(given: dict[str, Any], **builds: Callable[..., Any]) -> None:
    """Tables become what they speak of; strings stay."""
    for word, build in builds.items():
        if word in given and not isinstance(given[word], str):
            with place(word):
                given[word] = called(build, table_of(given[word]))


def _part_study(table: Table, kind: StudyKind) -> studies.PartStudy:
    only(table, ("type", "material", "supports", "loads", "load_cases", "bodies", "shape", *REQUEST_WORDS))
    given: dict[str, Any] = {"material": _material(needed(table, "material"))}
    given["supports"] = _things(table.get("supports", []), kind.supports, "supports")
    if "loads" in table:
        given["loads"] = _things(table["loads"], kind.loads, "loads")
    if "load_cases" in table:
        with place("load_cases"):
            cases = table_of(table["load_cases"])
        given["load_cases"] = {
            name: _things(loads, kind.loads, f"load_cases.{name}") for name, loads in cases.items()
        }
    if "bodies" in table:
        given["bodies"] = [
            _body(entry, f"bodies[{index}]") for index, entry in enumerate(listed(table["bodies"], "bodies"))
        ]
    made: studies.PartStudy = called(kind.build, given)
    return made


def _free_form(value: Any, where: str) -> studies.FreeForm:
    with place(where):
        table = dict(table_of(value))
        moves = {}
        for index, entry in enumerate(listed(table.get("moves", []), "moves")):
            with place(f"moves[{index}]"):
                move = table_of(entry)
                only(move, ("at", "by"))
                moves[tuple(listed(needed(move, "at"), "at"))] = needed(move, "by")
        made: studies.FreeForm = called(studies.FreeForm, table | {"moves": moves})
        return made


def _material(value: Any) -> Any:
    if isinstance(value, str | Choice):
        return value
    with place("material"):
        return called(Material, table_of(value))


def _body(value: Any, where: str) -> studies.Body:
    with place(where):
        table = dict(table_of(value))
        if "material" in table:
            table["material"] = _material(table["material"])
    body: studies.Body = _on_surface(studies.Body, table, where)
    return body


def _things(value: Any, kinds: Mapping[str, Callable[..., Any]], where: str) -> list[Any]:
    entries = listed(value, where)
    return [_thing(entry, kinds, f"{where}[{index}]") for index, entry in enumerate(entries)]


def _thing(value: Any, kinds: Mapping[str, Callable[..., Any]], where: str) -> Any:
    with place(where):
        table = dict(table_of(value))
        name = needed(table, "type")
        build = choice(kinds, name, "type")
        del table["type"]
    return _on_surface(build, table, where, str(name))


def _on_surface(build: Callable[..., Any], value: Any, where: str, name: str = "") -> Any:
    """A thing from its table, in which `on` is a selector. name: of the thing, where its place does not tell it"""
    with place(where):
        table = dict(table_of(value))
        if "on" in table:
            with place("on"):
                table["on"] = selector(table["on"])
        with place(name) if name else nullcontext():
            return called(build, table)


def selector(value: Any) -> Any:
    """A selector from its table."""
    if value == "all":
        return select.all()
    table = table_of(value)
    if len(table) != 1:
        raise StudyError(
            f"a selector has one word, got {', '.join(table) or 'none'}; join several by all, any, not"
        )
    ((word, given),) = table.items()
    only(table, (*SELECTORS, *_COMBINATIONS))
    with place(word):
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
                return called(select.group, {"name": given})
            case _:
                return called(SELECTORS[word], table_of(given))


def _operands(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise StudyError(f"expected a list of selectors, got {value!r}")
    return [selector(entry) for entry in value]
