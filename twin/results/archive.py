"""Arrays of a file that somebody sent: NumPy's .npz, and no more of it than can be held."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.errors import InvalidInput

_MOST_BYTES: Final = 512 << 20  # unpacked
_MOST_ARRAYS: Final = 1024


def read(path: Path) -> dict[str, NDArray[Any]]:
    """By their names. Raises InvalidInput for another file, and for a larger one before it is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
        unpacked = sum(member.file_size for member in members)
        if len(members) > _MOST_ARRAYS or unpacked > _MOST_BYTES:
            raise InvalidInput(
                f"the file holds {len(members):,} arrays of {unpacked / 2**20:,.0f} MiB; the most is {_MOST_ARRAYS:,} "
                f"of {_MOST_BYTES / 2**20:,.0f} MiB"
            )
        with np.load(path, allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (zipfile.BadZipFile, OSError, KeyError, ValueError, TypeError, EOFError) as error:
        raise InvalidInput(f"the file is no archive of arrays ({error or type(error).__name__})") from None
