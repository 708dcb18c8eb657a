"""Devices are found without jax, and said to a worker by its environment."""

from __future__ import annotations

import subprocess
import sys

import pytest

from twin.workers import devices
from twin.workers.devices import CPU, Device, find_devices, parse_devices
from twin.workers.energy import EnergyMeter


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "find_spec", lambda name: object())
    monkeypatch.setattr(devices, "_count", lambda: 2)


def test_no_plugin_no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "find_spec", lambda name: None)
    assert find_devices({"CUDA_VISIBLE_DEVICES": "0"}) == (CPU,)


@pytest.mark.parametrize(
    ("environment", "identifiers"),
    [
        ({}, ["0", "1"]),
        ({"CUDA_VISIBLE_DEVICES": "3,1"}, ["3", "1"]),
        ({"CUDA_VISIBLE_DEVICES": "GPU-8f3a"}, ["GPU-8f3a"]),
        ({"CUDA_VISIBLE_DEVICES": "1,-1,2"}, ["1"]),
        ({"CUDA_VISIBLE_DEVICES": ""}, []),
        ({"JAX_PLATFORMS": "cpu"}, []),
    ],
)
def test_visible_devices(plugin: None, environment: dict[str, str], identifiers: list[str]) -> None:
    expected = tuple(Device("cuda", identifier) for identifier in identifiers) or (CPU,)
    assert find_devices(environment) == expected


def test_settings() -> None:
    assert parse_devices("cpu") == (CPU,)
    assert parse_devices("0, 2") == (Device("cuda", "0"), Device("cuda", "2"))
    assert Device("cuda", "2").environment()["CUDA_VISIBLE_DEVICES"] == "2"


def test_no_counter_no_figure() -> None:
    assert EnergyMeter(CPU).joules() is None


def test_without_jax() -> None:
    script = "import sys, twin.workers.local, twin.workers.on_ray, twin.workers.devices; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
