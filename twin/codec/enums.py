"""Enums of the wire and words of the domain, as tables: METHOD_AUTO and "auto"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from twin.errors import InvalidInput

Word = TypeVar("Word", bound=str)
Value = TypeVar("Value", bound=int)


@dataclass(frozen=True, slots=True)
class EnumWords(Generic[Word, Value]):
    """what: the field, for errors. default: what UNSPECIFIED means."""

    what: str
    values: Mapping[Word, Value]
    default: Word

    def value(self, word: Word) -> Value:
        """The enum's value for a word."""
        return self.values[word]

    def word(self, value: Value) -> Word:
        """The word for a value. Raises InvalidInput for a value of a newer version."""
        if value == 0:
            return self.default
        for word, known in self.values.items():
            if known == value:
                return word
        raise InvalidInput(
            f"{self.what} {value} is not known to this version, which knows {', '.join(self.values)}."
        )
