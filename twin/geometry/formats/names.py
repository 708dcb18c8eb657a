"""Names in a file, which become groups of triangles."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]

_MOST = 1000
_LONGEST = 200
_NO_NAMES = ("", "none", "noname", "null", "default", "unnamed", "undefined")


class Names:
    """Collects which triangles bear which name, while a file is read."""

    def __init__(self) -> None:
        self._found: dict[str, list[Int64]] = {}

    def add(self, name: object, triangles: Int64) -> None:
        """Name some triangles; a name that says nothing is not one. Repeated ones are joined."""
        if not isinstance(name, str):
            return
        shown = "".join(c if c.isprintable() else " " for c in name).strip()[:_LONGEST]
        if shown.lower() not in _NO_NAMES and len(triangles):
            self._found.setdefault(shown, []).append(np.asarray(triangles, dtype=np.int64))

    def groups(self) -> tuple[Mapping[str, Int64], tuple[str, ...]]:
        """The groups, and warnings."""
        names = list(self._found)
        dropped = names[_MOST:]
        warnings = (f"the file has {len(names)} names; the first {_MOST} became groups",) if dropped else ()
        return {name: np.unique(np.concatenate(self._found[name])) for name in names[:_MOST]}, warnings
