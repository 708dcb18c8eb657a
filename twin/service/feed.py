"""Wakes the watchers of a run when it has news: one look at the database serves them all.

Watchers read their events themselves, by number: the feed only says when, so a call that it misses costs
time and no event.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, final

from sqlalchemy.exc import SQLAlchemyError

from twin.store.events import Events

_LOG: Final = logging.getLogger(__name__)
_PERIOD: Final = 0.05  # seconds between looks while somebody watches


@final
class Feed:
    """News of runs, by (tenant, id)."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._watchers: dict[tuple[str, str], set[asyncio.Event]] = defaultdict(set)
        self._watched = asyncio.Event()

    @contextmanager
    def listen(self, tenant: str, run: str) -> Iterator[asyncio.Event]:
        """An event that is set when the run has news; whoever waits on it clears it before reading."""
        news, key = asyncio.Event(), (tenant, run)
        self._watchers[key].add(news)
        self._watched.set()
        try:
            yield news
        finally:
            self._watchers[key].discard(news)
            if not self._watchers[key]:
                del self._watchers[key]
            if not self._watchers:
                self._watched.clear()

    async def follow(self) -> None:
        """Look for news for ever."""
        number: int | None = None  # the latest event seen; None while nobody watches
        while True:
            if not self._watched.is_set():
                number = None
                await self._watched.wait()
            try:
                number = await self._look(number)
            except SQLAlchemyError:
                _LOG.exception("the database does not answer; trying again")
            await asyncio.sleep(_PERIOD)

    async def _look(self, seen: int | None) -> int:
        if seen is None:
            latest = await asyncio.to_thread(self._events.latest)
            self._wake(set(self._watchers))  # what came before that look
        else:
            latest, news = await asyncio.to_thread(self._events.news, seen)
            self._wake(news)
        return latest

    def _wake(self, runs: set[tuple[str, str]]) -> None:
        for run in runs & self._watchers.keys():
            for news in self._watchers[run]:
                news.set()
