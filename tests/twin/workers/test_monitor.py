"""The monitor: progress as events, the lease kept, a wish to cancel heard within a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from twin.errors import Cancelled, DeadlineExceeded
from twin.store.geometries import GeometryRecord
from twin.store.leases import Lease, LeaseLostError, Leases
from twin.store.runs import NewRun
from twin.store.states import RunState
from twin.store.workspace import Workspace
from twin.workers.monitor import Pace, RunMonitor

QUICK = Pace(events=0.1, look=0.02, renew=0.05, patience=0.2)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace.open(tmp_path, lease_seconds=0.3)
    workspace.geometries.add(GeometryRecord("default", "part", "", "part.stl", "", "", b""), [])
    yield workspace
    workspace.close()


@pytest.fixture
def lease(workspace: Workspace) -> Lease:
    workspace.runs.create("default", NewRun("part", "static_stress", b"", b"", ""))
    lease = workspace.leases.claim("w")
    assert lease is not None
    return lease


def never() -> None:
    raise AssertionError("the process was ended")


def work_for_ever(monitor: RunMonitor) -> None:
    while True:
        monitor.progress("solve", 0.2)
        time.sleep(0.01)


def phases(workspace: Workspace, lease: Lease) -> list[tuple[str, float]]:
    events = workspace.events.after("default", lease.run, 0)
    return [(event.phase, event.fraction) for event in events if event.state is None]


def test_phases_always_the_rest_at_a_bounded_rate(workspace: Workspace, lease: Lease) -> None:
    begun = time.monotonic()
    with RunMonitor(workspace.leases, lease, never, pace=QUICK) as monitor:
        for phase in ("mesh", "solve"):
            for step in range(400):
                monitor.progress(phase, step / 400)
    seen = phases(workspace, lease)
    assert ("mesh", 0.0) in seen
    assert ("solve", 0.0) in seen
    assert len(seen) <= 2 + (time.monotonic() - begun) / QUICK.events + 1


def test_the_same_again_is_no_event(workspace: Workspace, lease: Lease) -> None:
    with RunMonitor(workspace.leases, lease, never, pace=QUICK) as monitor:
        for _ in range(5):
            monitor.progress("mesh", 0.2, "waiting for the mesher")
            time.sleep(0.12)
        monitor.progress("mesh", 0.3)
    assert phases(workspace, lease) == [("mesh", 0.2), ("mesh", 0.3)]


def test_a_silent_analysis_keeps_its_lease(workspace: Workspace, lease: Lease) -> None:
    with RunMonitor(workspace.leases, lease, never, pace=QUICK) as monitor:
        for _ in range(10):
            time.sleep(0.1)  # in all, three times the lease
            assert workspace.leases.expire() == 0
        monitor.check()


def test_cancel_is_heard(workspace: Workspace, lease: Lease) -> None:
    with RunMonitor(workspace.leases, lease, never) as monitor:
        monitor.progress("solve", 0.1)
        workspace.runs.cancel("default", lease.run)
        begun = time.monotonic()
        with pytest.raises(Cancelled, match=lease.run):
            work_for_ever(monitor)
        assert time.monotonic() - begun < 1.0


def test_a_lost_lease_stops_the_analysis(workspace: Workspace, lease: Lease) -> None:
    with RunMonitor(workspace.leases, lease, never, pace=QUICK) as monitor:
        workspace.leases.release("w", blame=True)
        time.sleep(0.2)
        with pytest.raises(LeaseLostError):
            monitor.progress("solve", 0.5)


def test_no_longer_than_allowed(workspace: Workspace, lease: Lease) -> None:
    patient = replace(QUICK, patience=10.0)
    with RunMonitor(workspace.leases, lease, never, 0.1, patient) as monitor:
        monitor.progress("mesh", 0.0)
        time.sleep(0.3)
        with pytest.raises(DeadlineExceeded, match="'mesh'"):
            monitor.progress("mesh", 0.1)


def test_one_that_does_not_listen_is_ended(workspace: Workspace, lease: Lease) -> None:
    ended = threading.Event()
    with RunMonitor(workspace.leases, lease, ended.set, pace=QUICK):
        workspace.runs.cancel("default", lease.run)
        assert ended.wait(2.0)
        assert workspace.runs.get("default", lease.run).state is RunState.CANCELLED


def test_leases_of_another_home_are_not_touched(tmp_path: Path, lease: Lease) -> None:
    other = Workspace.open(tmp_path / "other")
    with pytest.raises(LeaseLostError):
        Leases(other.database).renew(lease)
