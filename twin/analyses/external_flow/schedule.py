"""For how long the flow in a tunnel is followed, and when its means are known well enough."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.analyses.external_flow.tunnel import Tunnel
from twin.analyses.flow.simulation import CHANGED, Plan, mean

Floats = NDArray[np.float64]

# In times in which the fluid passes the part's size.
EVERY: Final = 0.1  # between two looks at the forces
_START: Final = 3.0  # after the fluid that was there first has passed: then fields are averaged
_AGAIN: Final = 3.0  # likewise, where flow without eddies goes on on smaller cells; in a mean there are none
_LEAST: Final = 6.0  # that are averaged
_LONGEST: Final = 80.0


def plan(tunnel: Tunnel, wished: float, before: Floats | None = None) -> Plan:
    """Until the mean force is known to `wished`, in pressure of the flow times area, or well enough beside what it has
    changed by.

    before: force (3,) on larger cells [N]
    """
    scales, setting = tunnel.scales, tunnel.setting
    steps = 2 ** (len(tunnel.boxes) - 1)
    turnover = setting.turnover / scales.time
    interval = max(round(EVERY * turnover / steps), 1) * steps
    passed = (setting.length + 2 * setting.size) / setting.size + _START
    kept = tunnel.continued and not setting.turbulent
    start = round((_AGAIN if kept else passed) * turnover / interval)
    least, longest = (start + round(span * turnover / interval) for span in (_LEAST, _LONGEST))
    unit = 0.5 * tunnel.speed**2 * setting.area / scales.length**2
    then = None if before is None else before / scales.force

    def enough(series: Floats) -> bool:
        force, spread = np.array([mean(column) for column in series[:, :3].T]).T
        changed = 0.0 if then is None else CHANGED * np.linalg.norm(force - then)
        return bool(spread.max() <= max(wished * unit, changed))

    return Plan(interval, start, least, longest, enough)
