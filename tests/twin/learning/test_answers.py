"""What a surrogate does not know is not left out of its answer."""

from __future__ import annotations

import pytest

from twin.errors import FailedPrecondition
from twin.learning.answers import refuse_unknown
from twin.quantities import Quantity
from twin.studies import Request

FOUND = {"pull": {"max_displacement": Quantity(1e-3, "m", 1e-5)}}


def test_a_quantity_that_it_cannot_tell_is_refused() -> None:
    with pytest.raises(FailedPrecondition, match="can't tell compliance of load case pull"):
        refuse_unknown("surrogates/a", FOUND, Request(quantities=["max_displacement", "compliance"]))


@pytest.mark.parametrize("names", [None, ["max_displacement"]])
def test_what_it_tells_is_not(names: list[str] | None) -> None:
    refuse_unknown("surrogates/a", FOUND, Request(quantities=names))
