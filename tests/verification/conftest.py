"""What was found beside what is known, as a table at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from tests.benchmarks.solids.own_table import table

_ROWS: Final = pytest.StashKey[list[list[str]]]()

Told = Callable[..., None]


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Told:
    """Enter a number into the table: told(what, on which cells, found, known, error estimate)."""
    rows = request.config.stash.setdefault(_ROWS, [])

    def tell(what: str, cells: str, found: float, known: float, error: float | None = None) -> None:
        off = f"{(found - known) / known:+.1%}"
        rows.append(
            [what, cells, f"{found:.5g}", f"{known:.5g}", off, "" if error is None else f"{error:.3g}"]
        )

    return tell


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    if rows := config.stash.get(_ROWS, []):
        terminalreporter.section("found and known")
        head = ["case", "cells", "found", "known", "off by", "error estimate"]
        terminalreporter.write_line("\n".join(table(head, rows)))
