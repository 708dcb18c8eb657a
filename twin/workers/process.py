"""A worker: one process, one device, one run or one pack at a time."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import OperationalError

from twin.store.leases import SECONDS
from twin.store.workspace import Workspace
from twin.workers import presence
from twin.workers.compute import Computer
from twin.workers.devices import Device
from twin.workers.energy import EnergyMeter
from twin.workers.lifeline import Lifeline, end_group
from twin.workers.planning import plan_ahead
from twin.workers.surrogates import Surrogates

if TYPE_CHECKING:
    from twin.workers.analyses import Analysis, Together

_IDLE: Final = 1.0  # seconds between looks where nobody wakes us
_LOG: Final = logging.getLogger(__name__)


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """What launch.py says on the command line."""
    parser = argparse.ArgumentParser(prog="python -m twin.workers", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--device-kind", choices=("cpu", "cuda"), required=True)
    parser.add_argument("--device-identifier", default="")
    parser.add_argument("--lease-seconds", type=float, default=SECONDS)
    parser.add_argument("--max-attempts", type=int, default=3)
    return parser.parse_args(argv)


def work(
    options: argparse.Namespace,
    lifeline: Lifeline,
    analyses: Mapping[str, Analysis],
    together: Mapping[str, Together],
) -> None:
    """Compute runs for ever; the lifeline ends the process."""
    workspace = Workspace.open(
        options.home, lease_seconds=options.lease_seconds, max_attempts=options.max_attempts
    )
    device = Device(options.device_kind, options.device_identifier)
    scratch = workspace.home.scratch_of(options.name)
    computer = Computer(
        workspace, scratch, analyses, together, EnergyMeter(device), end_group, Surrogates(workspace)
    )
    with presence.announced(workspace.home.workers, options.name):
        _LOG.info("%s is ready on %s", options.name, device.name)
        while True:
            try:
                plan_ahead(workspace)
                lease = workspace.leases.claim(options.name)
            except OperationalError:
                _LOG.exception("the database does not answer; trying again")
                lease = None
            if lease is None:
                lifeline.wait(_IDLE)
            else:
                computer.compute(lease)
