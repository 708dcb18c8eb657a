"""What all studies check of what they are given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar, get_args

from twin import materials
from twin.errors import MaterialError, StudyError
from twin.materials import Material
from twin.sweeps.parameters import Choice

T = TypeVar("T")

DEFAULT_CASE = "default"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def one_of(what: str, value: str, literal: object) -> str:
    """`value`, if the literal type allows it."""
    allowed = get_args(literal)
    if value not in allowed:
        raise StudyError(f"{what} is {value!r}; it can be {', '.join(repr(a) for a in allowed)}.")
    return value


def material(value: Material | str | Choice) -> Material:
    """A material, the one of that name in the library, or the placeholder of a choice."""
    if isinstance(value, Choice):
        return value.placeholder
    if isinstance(value, Material):
        return value
    if isinstance(value, str):
        return materials.material(value)
    raise MaterialError(f"material must be a name such as 'Ti-6Al-4V' or a twin.Material, not {value!r}.")


def items(values: Iterable[T], kinds: tuple[type[T], ...], what: str, example: str) -> tuple[T, ...]:
    """A list of things of some kinds, or one of them."""
    if isinstance(values, kinds):
        values = (values,)  # one support instead of a list of one is clear enough
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise StudyError(f"{what} must be a list such as [{example}], not {values!r}.")
    items = tuple(values)
    for item in items:
        if not isinstance(item, kinds):
            names = ", ".join(kind.__name__ for kind in kinds)
            raise StudyError(f"{what} can hold {names}; {item!r} is none of them. Example: {example}.")
    if len(items) > 256:
        raise StudyError(f"{what} has {len(items)} entries, more than 256. Join selections with | instead.")
    return items


def cases(
    loads: Iterable[T],
    load_cases: Mapping[str, Iterable[T]] | None,
    kinds: tuple[type[T], ...],
    example: str,
) -> dict[str, tuple[T, ...]]:
    """All load cases by name; a plain list of loads is the case "default"."""
    plain = items(loads, kinds, "loads", example)
    if load_cases is None:
        return {DEFAULT_CASE: plain}
    if plain:
        raise StudyError("Give either loads or load_cases, not both: put the loads into a case of their own.")
    if not isinstance(load_cases, Mapping) or not load_cases:
        raise StudyError("load_cases must be a dict with at least one case: {'name': [loads]}.")
    if len(load_cases) > 64:
        raise StudyError(
            f"There are {len(load_cases)} load cases, more than 64. Split them over several runs."
        )
    for name in load_cases:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise StudyError(
                f"{name!r} can't name a load case: use 1 to 64 letters, digits, '_', '-' or '.'."
            )
    return {name: items(own, kinds, f"load case '{name}'", example) for name, own in load_cases.items()}
