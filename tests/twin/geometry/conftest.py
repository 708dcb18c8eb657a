"""Where the real geometry is."""

from __future__ import annotations

from pathlib import Path

import pytest

CORPUS = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real geometry."""
    if not CORPUS.is_dir():
        pytest.skip("the folder of real geometry (../shared/data beside the project) is absent")
    return CORPUS
