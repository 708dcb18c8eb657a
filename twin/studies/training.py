"""What a surrogate is made of: the runs that it learns from, and how."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from twin.errors import FailedPrecondition, StudyError
from twin.select import describe
from twin.studies.static_stress import (
    Displacement,
    Fixed,
    Force,
    Gravity,
    Pressure,
    RemoteForce,
    StaticStress,
    Symmetry,
    Traction,
)

_NAME = re.compile(r"surrogates/[a-z0-9][a-z0-9-]{0,62}")
_VERSION = re.compile(_NAME.pattern + r"(/versions/[1-9][0-9]{0,8})?")
_LEAST_PARTS = 30
_LEAST_PARTS_TO_FIT = 20
MOST_STEPS = 10_000_000
MOST_NETWORKS = 16


@dataclass(frozen=True, slots=True, init=False)
class Training:
    """A surrogate that is to be trained; each training makes a new version of it.

    surrogate: "surrogates/bracket". runs: "runs/...", which have succeeded; sweeps: "sweeps/...", all their designs
    that are done. networks: how many are trained apart, so that their spread says where they guess. steps: of each.
    seed: of all that is drawn: another one makes another surrogate of the same data.
    start: "surrogates/bracket", or a version of it, whose networks are made to fit these runs, in place of new ones.
    escalated: learn also from all runs that this surrogate was asked of first, and that had to be solved.
    saved: instead of all that, the digest of a file that a surrogate was saved to, "sha256:...", which is loaded.
    Raises StudyError.
    """

    surrogate: str
    runs: tuple[str, ...]
    sweeps: tuple[str, ...]
    networks: int
    steps: int
    seed: int
    saved: str
    start: str
    escalated: bool

    def __init__(
        self,
        surrogate: str,
        runs: Sequence[str] = (),
        sweeps: Sequence[str] = (),
        networks: int = 3,
        steps: int = 6000,
        seed: int = 0,
        saved: str = "",
        start: str = "",
        escalated: bool = False,
    ) -> None:
        name = surrogate if surrogate.startswith("surrogates/") else f"surrogates/{surrogate}"
        if not _NAME.fullmatch(name):
            raise StudyError(
                f"{surrogate!r} is no name for a surrogate: lower-case letters, digits and hyphens, such as 'bracket'."
            )
        start = start if not start or start.startswith("surrogates/") else f"surrogates/{start}"
        if start and not _VERSION.fullmatch(start):
            raise StudyError(f"{start!r} is no surrogate: give its name, or 'surrogates/bracket/versions/2'.")
        if saved and (runs or sweeps or start or escalated):
            raise StudyError(
                "A surrogate that was saved is loaded as it is: give no runs, sweeps or start beside it."
            )
        if not (saved or runs or sweeps or escalated):
            raise StudyError("Nothing to learn from: give finished runs, or sweeps that keep their fields.")
        for what, value, most in (("networks", networks, MOST_NETWORKS), ("steps", steps, MOST_STEPS)):
            if not (1 <= value <= most and value == int(value)):
                raise StudyError(f"{what} is a whole number from 1 to {most:,}, not {value!r}.")
        object.__setattr__(self, "surrogate", name)
        object.__setattr__(self, "runs", tuple(dict.fromkeys(runs)))
        object.__setattr__(self, "sweeps", tuple(dict.fromkeys(sweeps)))
        object.__setattr__(self, "networks", int(networks))
        object.__setattr__(self, "steps", int(steps))
        object.__setattr__(self, "seed", int(seed))
        object.__setattr__(self, "saved", saved)
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "escalated", bool(escalated))


def refuse_too_few(parts: int, asked: Training) -> None:
    """Raises FailedPrecondition where so many different parts are too few to learn from, and to calibrate bounds by: 9
    are what it takes to promise anything for nine parts in ten.
    """
    least = _LEAST_PARTS_TO_FIT if asked.start else _LEAST_PARTS
    if parts < least:
        fit = (
            ""
            if asked.start
            else f" With start, which fits networks that know other parts, {_LEAST_PARTS_TO_FIT}."
        )
        raise FailedPrecondition(
            f"{parts} different parts are too few to learn from: {least} are needed at the least, some hundreds are a "
            f"good start.{fit} Load cases of one part count once. Sweep over its shape with keep_fields=True, and "
            "train on the sweep.",
            {"parts": parts, "needed": least},
        )


def unlearnable(study: StaticStress) -> str | None:
    """What of a study surrogates are not taught, in words; None where they can be."""
    if study.bodies:
        return "surrogates are of parts of one material, and this one has bodies"
    for support in study.supports:
        moves = isinstance(support, Displacement) and any((support.x, support.y, support.z))
        if moves or not isinstance(support, Fixed | Displacement | Symmetry):
            return (
                f"surrogates know rigid supports, and {type(support).__name__} on {describe(support.on)} moves or "
                "gives way"
            )
    for load in itertools.chain(*study.cases.values()):
        rigid = isinstance(load, RemoteForce) and load.coupling == "rigid"
        if rigid or not isinstance(load, Gravity | Force | Traction | Pressure | RemoteForce):
            return (
                "surrogates know forces, tractions, pressures, distributed remote forces and gravity, not this "
                f"{type(load).__name__}"
            )
    return None
