"""Memory of this process, or of the device that it computes on."""

from __future__ import annotations

import jax

from tests.benchmarks.solids.machine import resident_peak


def peak_gb() -> float:
    """The most that was held: by the accelerator where there is one, or else by the process."""
    told = jax.devices()[0].memory_stats()
    return float(told["peak_bytes_in_use"] if told else resident_peak()) / 1e9
