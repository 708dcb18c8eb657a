"""A surrogate in a file is what it was, and what is none is refused before it takes memory."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from twin.errors import InvalidInput
from twin.results import surrogate_file
from twin.results.card import Coverage, ModelCard, Split

CARD = ModelCard(
    study="static_stress",
    data="sha256:0",
    split=Split((30, 90), (12, 36), (8, 24)),
    metrics={"stress, relative L2": 0.2},
    coverage={"max_von_mises": (Coverage(0.9, 0.875, 0.8, 0.98, np.inf),)},
    strangers=0.0,
    accuracy={"max_von_mises": 0.05},
    networks=2,
    parameters=350_000,
    steps=6000,
    seconds=1200.0,
    versions={"jax": "0.11"},
    solver_seconds=25.0,
    warnings=("few parts",),
)
ARRAYS = {"weights": np.arange(7, dtype=np.uint8), "scores.max_von_mises": np.array([0.5, np.inf])}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bracket.twin"
    surrogate_file.write(path, CARD, ARRAYS)
    card, arrays = surrogate_file.read(path)
    assert card == CARD
    assert arrays.keys() == ARRAYS.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, ARRAYS[name])
        assert array.dtype == ARRAYS[name].dtype


def text(path: Path) -> None:
    path.write_text("solid bracket")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def other_arrays(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, points=np.zeros((3, 3)))


def pickled(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, card=np.array([{"version": 1}], dtype=object))


def cut_short(path: Path) -> None:
    surrogate_file.write(path, CARD, ARRAYS)
    path.write_bytes(path.read_bytes()[:-100])


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(6):
            with archive.open(f"{number}.npy", "w") as member:
                for _ in range(100):
                    member.write(bytes(1 << 20))


def many(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(2000):
            archive.writestr(f"{number}.npy", b"")


@pytest.mark.parametrize("write", [text, empty, other_arrays, pickled, cut_short, bomb, many])
def test_what_is_no_surrogate_is_refused(write, tmp_path: Path) -> None:
    path = tmp_path / "file"
    write(path)
    with pytest.raises(InvalidInput, match="save one with"):
        surrogate_file.read(path)
