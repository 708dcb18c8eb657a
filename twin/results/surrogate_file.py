"""A surrogate as one file, to be taken to another service: NumPy's .npz, of its arrays and its model card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.errors import InvalidInput
from twin.results import archive
from twin.results.card import ModelCard
from twin.results.storage import card_from_json, card_to_json

_CARD: Final = "card"
_VERSION: Final = 1
_NO_FILE: Final = "save one with surrogate.save(...), and load it with the same version of twin"


def write(path: Path, card: ModelCard, arrays: Mapping[str, NDArray[Any]]) -> None:
    """arrays: by the names of `twin.learning.packing`."""
    record = {"version": _VERSION, "card": card_to_json(card)}
    text = np.frombuffer(json.dumps(record).encode(), np.uint8)
    with path.open("wb") as file:  # savez would add a suffix to a path that has another
        np.savez_compressed(file, allow_pickle=False, **{_CARD: text, **arrays})


def read(path: Path) -> tuple[ModelCard, dict[str, NDArray[Any]]]:
    """What `write` wrote. Raises InvalidInput for anything else, before it takes much memory."""
    try:
        arrays = archive.read(path)
    except InvalidInput as error:
        raise InvalidInput(f"the file is no surrogate: {error}; {_NO_FILE}") from None
    try:
        record = json.loads(arrays.pop(_CARD).tobytes())
        if record["version"] != _VERSION:
            raise InvalidInput(
                f"the file is of format {record['version']}, and this version reads {_VERSION}: {_NO_FILE}"
            )
        return card_from_json(record["card"]), arrays
    except (KeyError, ValueError, TypeError) as error:
        raise InvalidInput(
            f"the file is no surrogate ({error or type(error).__name__}): {_NO_FILE}"
        ) from None
