"""What is stored of a surrogate is read by the version that wrote it, and refused by others."""

from __future__ import annotations

import pytest

from twin.cli.demo import SHIPPED
from twin.errors import InvalidInput
from twin.learning import packing
from twin.results import surrogate_file


def test_a_surrogate_that_was_told_other_things_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    card, arrays = surrogate_file.read(SHIPPED)
    assert packing.unpack(list(arrays), card, arrays.__getitem__).card == card
    monkeypatch.setattr(packing, "FEATURES", packing.FEATURES + 1)
    with pytest.raises(InvalidInput, match="train it again"):
        packing.unpack(list(arrays), card, arrays.__getitem__)
