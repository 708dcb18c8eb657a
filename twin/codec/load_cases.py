"""Load cases of any study."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from twin.errors import StudyError

LoadT = TypeVar("LoadT")


def cases_from_proto(
    messages: Iterable[Any], load_from_proto: Callable[[Any], LoadT]
) -> dict[str, list[LoadT]]:
    """Loads by the names of their cases, each of which has a `name` and `loads`."""
    cases: dict[str, list[LoadT]] = {}
    for case in messages:
        if case.name in cases:
            raise StudyError(f"Two load cases are named '{case.name}'. Each needs its own name.")
        cases[case.name] = [load_from_proto(load) for load in case.loads]
    return cases
