"""Energy from the device's own counter; where there is none the figure is absent, never invented."""

from __future__ import annotations

from typing import Any, final

import pynvml

from twin.workers.devices import Device


@final
class EnergyMeter:
    """The counter of one device. It counts everything that the device does, so one run at a time makes
    sense.
    """

    def __init__(self, device: Device) -> None:
        self._handle = _handle(device)

    def joules(self) -> float | None:
        """Since the driver was loaded [J]; None where there is no counter."""
        if self._handle is None:
            return None
        try:
            return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)) * 1e-3
        except pynvml.NVMLError:
            return None


def _handle(device: Device) -> Any | None:
    if device.kind != "cuda":
        return None
    try:
        pynvml.nvmlInit()
        if device.identifier.isdigit():
            return pynvml.nvmlDeviceGetHandleByIndex(int(device.identifier))
        return pynvml.nvmlDeviceGetHandleByUUID(device.identifier.encode())
    except pynvml.NVMLError:
        return None
