"""What a run knows so far, in a folder: a run whose worker was killed goes on from there."""

import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from twin.analyses.flow.simulation import Course

_EVERY: Final = 60.0  # seconds between two of them
_SHARE: Final = 0.05  # of the time, that writing may take


@dataclass
class Checkpoints:
    """Of the lattices of a run, by their cells along the part's size.

    folder: as an earlier attempt left it; begun: on the clock of `time.perf_counter`, when the run would have begun had
    there been one attempt
    """

    folder: Path
    begun: float = field(init=False)
    _next: float = field(init=False)

    def __post_init__(self) -> None:
        self.begun = time.perf_counter() - self._spent()
        self._next = time.perf_counter() + _EVERY

    def has(self, across: float) -> bool:
        """Whether anything is known of the one with so many."""
        return self._path(across).exists()

    def load(self, across: float, fresh: Course) -> Course:
        """What is known of that lattice; as it is before the first step, where nothing is, or of other arrays."""
        known = _read(self._path(across))
        leaves, structure = jax.tree.flatten((fresh.states, fresh.sums))
        arrays = [known.get(str(place)) for place in range(len(leaves))]
        if any(one is None or one.shape != other.shape for one, other in zip(arrays, leaves, strict=True)):
            return fresh
        states, sums = jax.tree.unflatten(structure, [jnp.asarray(each) for each in arrays])
        return replace(
            fresh,
            states=states,
            sums=sums,
            pushes=known["pushes"],
            series=list(known["series"]),
            settled=bool(known["settled"]),
            seconds=float(known["seconds"]),
        )

    def keep(self, across: float, course: Course, *, now: bool = False) -> None:
        """Store what is known, where it is time to, or `now`."""
        began = time.perf_counter()
        if not now and began < self._next:
            return
        leaves = jax.tree.leaves((course.states, course.sums))
        arrays: dict[str, Any] = {str(place): np.asarray(leaf) for place, leaf in enumerate(leaves)}
        path = self._path(across)
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez(
                file,
                pushes=course.pushes,
                series=np.array(course.series),
                settled=np.array(course.settled),
                seconds=np.array(course.seconds),
                spent=np.array(began - self.begun),
                **arrays,
            )
        partial.replace(path)
        took = time.perf_counter() - began
        self._next = time.perf_counter() + max(_EVERY, took / _SHARE)

    def _spent(self) -> float:
        """Seconds of earlier attempts, until the last of what they left."""
        known = [_read(path, "spent") for path in self.folder.glob("lattice-*.npz")]
        return max((float(each["spent"]) for each in known if each), default=0.0)

    def _path(self, across: float) -> Path:
        return self.folder / f"lattice-{across:.6g}.npz"


def _read(path: Path, only: str | None = None) -> Mapping[str, NDArray[Any]]:
    """The arrays in a file, or one; none where there is no such file, or it is broken."""
    try:
        with path.open("rb") as file, np.load(file) as stored:
            return {name: stored[name] for name in stored.files if only in (None, name)}
    except (FileNotFoundError, zipfile.BadZipFile, ValueError):
        return {}
