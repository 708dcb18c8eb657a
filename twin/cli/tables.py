"""Tables of a TOML file: what they may and must have, and errors that name the place."""

from __future__ import annotations

import difflib
import inspect
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twin.errors import StudyError, TwinError

Table = Mapping[str, Any]
Kinds = Mapping[str, Callable[..., Any]]


def text_of(path: Path) -> str:
    """What is in a file."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise StudyError(f"the study file {path} can't be read: {reason}") from None


def toml(text: str) -> Table:
    """The table that a text is."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"not TOML: {error}") from None


def named(*kinds: type) -> Kinds:
    """Classes by their names."""
    return {kind.__name__: kind for kind in kinds}


def listed(value: Any, name: str) -> list[Any]:
    """A list of tables, which has a name in the file."""
    with place(name):
        if not isinstance(value, list):
            raise StudyError(f"expected a list of tables ([[{name}]]), got {value!r}")
    return value


def called(build: Callable[..., Any], given: Table) -> Any:
    """Build a thing from its table, whose keys are the parameters of the SDK."""
    parameters = inspect.signature(build).parameters
    only(given, tuple(parameters))
    missing = [name for name, p in parameters.items() if p.default is p.empty and name not in given]
    if missing:
        raise StudyError(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing")
    try:
        return build(**given)
    except (TypeError, ValueError) as error:
        # A value of a type that no number, unit or vector can have (a list for a radius, ...).
        raise StudyError(f"a value of the wrong kind: {error}") from None


def table_of(value: Any) -> Table:
    """The value, which has to be a table."""
    if not isinstance(value, Mapping):
        raise StudyError(f"expected a table, got {value!r}")
    return value


def needed(table: Table, key: str) -> Any:
    """What a table has to have."""
    if key not in table:
        raise StudyError(f"{key} is missing")
    return table[key]


def choice(kinds: Mapping[str, Any], name: Any, what: str) -> Any:
    """One of several kinds, by its name."""
    if name not in kinds:
        raise StudyError(f"unknown {what} {name!r}{_near(str(name), kinds)}")
    return kinds[name]


def only(table: Table, keys: Collection[str]) -> None:
    """Refuse a table that has other keys."""
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
def place(name: str) -> Iterator[None]:
    """Prefix the place to the message of an error, which keeps its class and facts."""
    try:
        yield
    except TwinError as error:
        raise type(error)(f"{name}: {error.message}", error.facts) from None
