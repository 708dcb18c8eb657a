"""For how long the flow through a part is followed, and when its means are known well enough."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.analyses.flow.simulation import CHANGED, Plan, mean
from twin.analyses.internal_flow.channel import RAMP, Channel
from twin.analyses.internal_flow.quantities import in_units, scales_of

Floats = NDArray[np.float64]

_RELAXED: Final = 5.0  # times in which viscosity reaches across, after which slow flow is steady
_SOUND: Final = 10.0  # times in which sound passes the part, likewise
_LEAST: Final = 60  # looks that means are over
_LONGEST: Final = 40.0  # times that the start may last
_AGAIN: Final = 0.4  # of the start, where the flow goes on on smaller cells


def plan(channel: Channel, wished: float, before: Floats | None = None) -> Plan:
    """Until the losses, and what passes each opening, are known to a share of themselves, or well enough beside what
    they have changed by.

    before: values as of `Measured`, on larger cells
    """
    passage = channel.passage
    volume = passage.volume / channel.scales.length**3
    sound = _SOUND * 3**0.5 * float(np.sum(channel.boxes[0].grid.shape))
    exchange = min(volume / channel.flow, _RELAXED * channel.relaxing + sound) / channel.interval
    start = round((_AGAIN if channel.continued else 1) * (RAMP + exchange))
    least = start + max(_LEAST, round(0.5 * exchange))

    def enough(series: Floats) -> bool:
        values = in_units(channel, series)
        found, spread = np.array([mean(column) for column in values.T]).T
        changed = 0.0 if before is None else CHANGED * np.abs(found - before)
        return bool((spread <= np.maximum(wished * scales_of(found), changed)).all())

    return Plan(channel.interval, start, least, start + round(_LONGEST * (RAMP + exchange)), enough)
