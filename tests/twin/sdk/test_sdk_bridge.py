"""The bridge between threads and the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest

from twin.sdk import bridge


def test_results_and_errors_come_across():
    async def answer():
        return threading.current_thread().name

    async def fail():
        raise KeyError("x")

    assert bridge.shared().run(answer()) == "twin-sdk"
    assert bridge.shared() is bridge.shared()
    with pytest.raises(KeyError):
        bridge.shared().run(fail())


def test_leaving_an_iteration_closes_its_source():
    closed = threading.Event()

    async def count():
        try:
            for number in range(100):
                yield number
        finally:
            closed.set()

    with contextlib.closing(bridge.shared().iterate(count())) as numbers:
        assert next(numbers) == 0
        assert next(numbers) == 1
    assert closed.is_set()
    assert list(bridge.shared().iterate(count())) == list(range(100))


def test_an_interrupt_cancels_the_work(monkeypatch):
    started, cancelled = threading.Event(), threading.Event()

    async def work():
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def interrupted(future, timeout=None):
        started.wait()
        raise KeyboardInterrupt

    monkeypatch.setattr("concurrent.futures.Future.result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bridge.shared().run(work())
    assert cancelled.wait(5)


def test_the_loop_refuses_to_wait_for_itself():
    async def inner():
        return 1

    async def outer():
        return bridge.shared().run(inner())

    with pytest.raises(RuntimeError, match=r"twin\.aio"):
        bridge.shared().run(outer())
