"""The feed wakes those who watch, and only them."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from twin.service.feed import Feed
from twin.store.geometries import GeometryRecord
from twin.store.runs import NewRun
from twin.store.workspace import Workspace


async def test_news_wake_the_watcher_of_that_run(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    for tenant in ("ours", "theirs"):
        workspace.geometries.add(GeometryRecord(tenant, "part", "", "part.stl", "", "", b""), [])
    new = NewRun("part", "static_stress", b"", b"", "")
    run, other = workspace.runs.create("ours", new).id, workspace.runs.create("theirs", new).id
    feed = Feed(workspace.events)
    following = asyncio.create_task(feed.follow())
    with feed.listen("ours", run) as news, feed.listen("theirs", other) as others:
        async with asyncio.timeout(2):
            await news.wait()  # at first everybody looks for himself
            await others.wait()
        news.clear()
        others.clear()
        workspace.runs.cancel("ours", run)
        async with asyncio.timeout(2):
            await news.wait()
        await asyncio.sleep(0.2)
        assert not others.is_set()
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following
    workspace.close()
