"""What is kept of a part between questions: another load on the same region is then a sum of what is known."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, TypeVar, final

import numpy as np

from twin.geometry.surface import Surface
from twin.learning.questions import Question

_PARTS: Final = 4  # that are kept, each for one surrogate
_MOST_BYTES: Final = 128 << 20  # of one thing that is kept

Value = TypeVar("Value")


@final
class Memory:
    """Of one part, as one surrogate sees it."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def recall(
        self, name: str, make: Callable[[], Value], size: Callable[[Value], int] = lambda _: 0
    ) -> Value:
        """What is known by a name, made where it is not. size: of it in bytes; what is too large is not kept."""
        if name in self._known:
            known: Value = self._known[name]
            return known
        made = make()
        if size(made) <= _MOST_BYTES:
            self._known[name] = made
        return made


@final
class Memories:
    """Of the parts that were asked about last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Memory] = OrderedDict()

    def of(self, surrogate: str, surface: Surface, question: Question) -> Memory:
        """Of a part that is held and loaded at these places, whatever the loads are."""
        key = _digest(surrogate, surface, question)
        memory = self._kept.setdefault(key, Memory())
        self._kept.move_to_end(key)
        while len(self._kept) > _PARTS:
            self._kept.popitem(last=False)
        return memory


def _digest(surrogate: str, surface: Surface, question: Question) -> str:
    found = hashlib.sha256(surrogate.encode())
    for array in (surface.vertices, surface.triangles):
        found.update(np.ascontiguousarray(array).tobytes())
    for problem in question.problems:
        found.update(repr((problem.poissons_ratio, [hold.axes for hold in problem.holds])).encode())
        for region in (problem.region, *(hold.where for hold in problem.holds)):
            found.update(b"everywhere" if region is None else region.corners.tobytes())
    return found.hexdigest()
