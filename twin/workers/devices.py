"""What can compute here, found without jax: the front end asks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final, Literal, final

import pynvml

_CUDA_PLUGINS: Final = ("jax_cuda12_plugin", "jax_cuda13_plugin")


@final
@dataclass(frozen=True)
class Device:
    """kind "cuda": identifier is what CUDA_VISIBLE_DEVICES takes, an index or a UUID; "cpu" has none."""

    kind: Literal["cpu", "cuda"]
    identifier: str = ""

    @property
    def name(self) -> str:
        return f"cuda-{self.identifier}" if self.kind == "cuda" else "cpu"

    def labels(self, count: int) -> list[str]:
        """A name for each of the workers that share it."""
        return [self.name if index == 0 else f"{self.name}-{index}" for index in range(count)]

    def environment(self) -> dict[str, str]:
        """What the worker's process must see before it imports jax."""
        if self.kind == "cuda":
            # By bus position, as NVML counts: CUDA's own default is by speed.
            order = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": self.identifier}
            return {"JAX_PLATFORMS": "cuda,cpu", **order}
        return {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}


CPU: Final = Device("cpu")


def find_devices(environment: Mapping[str, str] = os.environ) -> tuple[Device, ...]:
    """Every NVIDIA device that this process may use and jax can drive; else the CPU."""
    if not any(find_spec(plugin) for plugin in _CUDA_PLUGINS):
        return (CPU,)
    if "cuda" not in environment.get("JAX_PLATFORMS", "cuda"):
        return (CPU,)
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        # CUDA itself stops reading at the first entry that is no device.
        identifiers = [entry.strip() for entry in visible.split(",")]
        cut = next((i for i, entry in enumerate(identifiers) if entry in ("", "-1")), len(identifiers))
        identifiers = identifiers[:cut]
    else:
        identifiers = [str(index) for index in range(_count())]
    return tuple(Device("cuda", identifier) for identifier in identifiers) or (CPU,)


def parse_devices(text: str) -> tuple[Device, ...]:
    """ "auto", "cpu", or CUDA identifiers such as "0,2"."""
    if text == "auto":
        return find_devices()
    if text == "cpu":
        return (CPU,)
    return tuple(Device("cuda", entry.strip()) for entry in text.split(","))


def _count() -> int:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return 0  # no driver: no device
    try:
        return int(pynvml.nvmlDeviceGetCount())
    finally:
        pynvml.nvmlShutdown()
