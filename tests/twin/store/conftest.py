from __future__ import annotations

from pathlib import Path

import pytest
from store_bench import Bench, open_bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return open_bench(tmp_path)
