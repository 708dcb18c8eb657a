"""The members of a batch: what is done to each, by one compiled program."""

from collections.abc import Callable
from typing import TypeVar

import jax

Members = TypeVar("Members")
Found = TypeVar("Found")


def each(solve: Callable[[Members], Found], members: Members, together: bool | None = None) -> Found:
    """`solve` of every member, along the leading axis of all arrays.

    Args:
        together: all at once (`jax.vmap`), as a GPU wants it, which one small member leaves idle; or one after the
            other (`lax.scan`): on a CPU, whose cache holds what one member needs but not what all do, vmap takes two
            to five times as long (python -m tests.benchmarks.solids --parts batches designs). None: as the device is
    """
    if together is None:
        together = jax.default_backend() != "cpu"
    return jax.vmap(solve)(members) if together else jax.lax.map(solve, members)
