"""How a study is to be answered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from twin.errors import StudyError
from twin.studies.words import one_of
from twin.units import Scalar, quantity

Method = Literal["auto", "solver", "surrogate"]
Discretisation = Literal["auto", "tet", "grid"]

DEFAULT_ACCURACY = 0.05
DEFAULT_COVERAGE = 0.9
_SURROGATE = re.compile(r"surrogates/[a-z0-9][a-z0-9-]{0,62}(/versions/[1-9][0-9]{0,8})?")
_LONGEST_CODE = 128
_QUANTITY = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True, init=False)
class Imported:
    """An answer that was found elsewhere.

    fields: digest of the file that holds them (twin/results/imported.py), "sha256:..."
    error: relative, of its numbers, in (0, 1]: by who imports it. code: what has found it, such as "CalculiX 2.21"
    """

    fields: str
    error: float
    code: str

    def __init__(self, fields: str, error: Scalar, code: str) -> None:
        known = quantity(error, "1", "error")
        if not 0 < known <= 1:
            raise StudyError(f"error is a relative error above 0 and at most 1 (0.05 is 5 %), not {known:g}.")
        if not code.strip() or len(code) > _LONGEST_CODE:
            raise StudyError(
                f"code names what has found the answer, in 1 to {_LONGEST_CODE} letters, such as 'CalculiX 2.21'."
            )
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "error", known)
        object.__setattr__(self, "code", code.strip())


@dataclass(frozen=True, slots=True, init=False)
class Request:
    """How a study is to be answered.

    accuracy: relative error wished for, in (0, 1]. quantities: the names it speaks of, None for all.
    max_seconds, max_unknowns: limits, None for those of the service.
    surrogate: "surrogates/bracket", or a version of it "surrogates/bracket/versions/2"; None: any that knows the part.
    coverage: share of parts that its bounds are to hold for.
    imported: an answer that is taken as it is; nothing is computed.
    """

    accuracy: float
    method: Method
    discretisation: Discretisation
    quantities: tuple[str, ...] | None
    max_seconds: float | None
    max_unknowns: int | None
    surrogate: str | None
    coverage: float
    imported: Imported | None

    def __init__(
        self,
        accuracy: Scalar = DEFAULT_ACCURACY,
        method: Method = "auto",
        discretisation: Discretisation = "auto",
        quantities: Sequence[str] | None = None,
        max_seconds: Scalar | None = None,
        max_unknowns: int | None = None,
        surrogate: str | None = None,
        coverage: float = DEFAULT_COVERAGE,
        imported: Imported | None = None,
    ) -> None:
        wished = quantity(accuracy, "1", "accuracy")
        if not 0 < wished <= 1:
            raise StudyError(
                f"accuracy is a relative error above 0 and at most 1 (0.05 is 5 %), not {wished:g}."
            )
        object.__setattr__(self, "accuracy", wished)
        object.__setattr__(self, "method", one_of("method", method, Method))
        object.__setattr__(self, "discretisation", one_of("discretisation", discretisation, Discretisation))
        object.__setattr__(self, "quantities", _quantity_names(quantities))
        seconds = None if max_seconds is None else quantity(max_seconds, "s", "max_seconds")
        if seconds is not None and seconds <= 0:
            raise StudyError(f"max_seconds must be above 0, not {seconds:g}.")
        object.__setattr__(self, "max_seconds", seconds)
        if max_unknowns is not None and not (max_unknowns >= 1 and max_unknowns == int(max_unknowns)):
            raise StudyError(f"max_unknowns must be a whole number above 0, not {max_unknowns!r}.")
        object.__setattr__(self, "max_unknowns", None if max_unknowns is None else int(max_unknowns))
        object.__setattr__(self, "surrogate", None if surrogate is None else _surrogate_name(surrogate))
        if not 0 < coverage < 1:
            raise StudyError(f"coverage is a share of parts above 0 and below 1, not {coverage!r}.")
        object.__setattr__(self, "coverage", float(coverage))
        if method == "solver" and surrogate is not None:
            raise StudyError("method='solver' asks no surrogate: leave it out, or ask for method='auto'.")
        if imported is not None and (method != "auto" or surrogate is not None):
            raise StudyError("An answer that is imported is neither solved for nor asked of a surrogate.")
        object.__setattr__(self, "imported", imported)

    @property
    def asks_surrogates(self) -> bool:
        """Whether one is asked for by its name or as the method: designs of a sweep ask none by themselves."""
        return self.surrogate is not None or self.method == "surrogate"


@dataclass(frozen=True, slots=True)
class Preview:
    """How designs are solved while an optimiser looks for the best; those are solved as the sweep asks.

    accuracy, discretisation, max_seconds, max_unknowns: as of Request
    """

    accuracy: Scalar = 0.2
    discretisation: Discretisation = "grid"
    max_seconds: Scalar | None = None
    max_unknowns: int | None = None

    def request(self, asked: Request) -> Request:
        """The request of a preview of what is asked. Raises StudyError."""
        return Request(
            self.accuracy,
            asked.method,
            self.discretisation,
            asked.quantities,
            self.max_seconds,
            self.max_unknowns,
            asked.surrogate,
            asked.coverage,
        )


def _surrogate_name(given: str) -> str:
    name = given if given.startswith("surrogates/") else f"surrogates/{given}"
    if not _SURROGATE.fullmatch(name):
        raise StudyError(
            f"{given!r} names no surrogate, such as 'bracket' or 'surrogates/bracket/versions/2'."
        )
    return name


def _quantity_names(names: Sequence[str] | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    if isinstance(names, str):
        names = (names,)
    for name in names:
        if not isinstance(name, str) or not _QUANTITY.fullmatch(name):
            raise StudyError(f"{name!r} is not the name of a quantity, such as 'max_von_mises'.")
    if len(set(names)) != len(names) or not 1 <= len(names) <= 64:
        raise StudyError("quantities needs 1 to 64 different names, or None for all.")
    return tuple(names)
