"""The table of the reference cases, on one that takes seconds; all of it: `make verify`."""

import pytest

from tests.verification.suite import table


@pytest.mark.parametrize(
    "discretisation",
    [
        pytest.param(each, marks=pytest.mark.slow) if each == "grid" else each
        for each in table.DISCRETISATIONS
    ],
)
def test_a_case_of_the_table(client, discretisation):
    found = list(table.run(client, ["pipe wall"], [discretisation]))
    assert found
    for line in found:
        assert line.holds, table.show(line)
        assert line.unknowns <= 1.1 * table.GRID["max_unknowns"]
        assert f"{line.unknowns:,}" in table.show(line)
