"""When the flow has been followed long enough."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from twin.analyses.external_flow.schedule import plan

FORCE = np.array([0.5, 0.0, 0.1])
SETTING = SimpleNamespace(turnover=1.0, length=1.0, size=1.0, area=2.0, turbulent=False)
SCALES = SimpleNamespace(time=1e-3, length=1.0, force=10.0)
TUNNEL = cast(
    "Any", SimpleNamespace(scales=SCALES, setting=SETTING, boxes=(None,) * 2, speed=1.0, continued=False)
)


def test_a_mean_need_not_be_known_better_than_what_it_has_changed_by() -> None:
    series = np.zeros((400, 6))
    series[:, :3] = FORCE + 0.2 * np.random.default_rng(1).normal(size=(400, 3))  # means to within 0.02
    assert plan(TUNNEL, 0.04).enough(series)
    assert not plan(TUNNEL, 0.004).enough(series)
    near, far = (SCALES.force * (FORCE + np.array([change, 0, 0])) for change in (0.01, 0.2))
    assert not plan(TUNNEL, 0.004, near).enough(series)
    assert plan(TUNNEL, 0.004, far).enough(series)


def test_what_goes_on_from_larger_cells_starts_sooner() -> None:
    again = cast("Any", SimpleNamespace(**{**vars(TUNNEL), "continued": True}))
    assert plan(again, 0.01).start < plan(TUNNEL, 0.01).start < plan(TUNNEL, 0.01).least
