"""Gradients: a run of its own for each, found again by what was asked."""

from __future__ import annotations

import uuid
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.errors import InvalidInput
from twin.results.gradient import Gradient
from twin.sdk.aio.run import AsyncRun
from twin.sdk.aio.wire import Wire
from twin.studies import GradientOf, Request

_QUESTIONS: Final = uuid.uuid5(uuid.NAMESPACE_URL, "twin/gradients")


async def ask(wire: Wire, question: GradientOf) -> Gradient:
    """The gradient, computed unless it has been before. What failed or was cancelled is tried again."""
    answered = await wire.get_run(question.run)
    key = f"{question.run}/{question.case}/{question.quantity}/{question.wrt}"
    while True:
        info = await wire.create_run(
            answered.geometry,
            question,
            Request(),
            f"gradient of {question.quantity} by {question.wrt}",
            {},
            str(uuid.uuid5(_QUESTIONS, key)),
        )
        if info.state not in ("FAILED", "CANCELLED"):
            return await AsyncRun(wire, info.name).gradient()
        key = f"{key}/{info.name}"


def along(gradient: Gradient, velocities: ArrayLike) -> float | NDArray[np.float64]:
    """Derivative along velocities of the vertices (v, 3), or along each of several (p, v, 3): (p,)."""
    slopes = gradient["vertices"].values
    given = np.asarray(velocities, dtype=np.float64)
    if given.ndim not in (2, 3) or given.shape[-2:] != slopes.shape:
        shape = ", ".join(map(str, slopes.shape))
        raise InvalidInput(
            f"velocities have the shape ({shape}), one for each of result.mesh.surface_vertices, or (p, {shape}) for p "
            f"parameters, not {given.shape}"
        )
    found = np.tensordot(given, slopes, axes=2)
    return float(found) if given.ndim == 2 else found


def check_velocities(wrt: str, velocities: ArrayLike | None) -> None:
    """Raise InvalidInput for velocities of anything but the shape."""
    if velocities is not None and wrt != "shape":
        raise InvalidInput(f"velocities are those of the shape's vertices: ask with wrt='shape', not {wrt!r}")
