"""Runs and their events as those who ask see them."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text
from store_bench import Bench, new, open_bench

from twin.errors import AlreadyExists, FailedPrecondition, NotFound, Unavailable
from twin.store import schema
from twin.store.database import Database
from twin.store.leases import Progress
from twin.store.runs import NewRun, RunFilter
from twin.store.states import RunState


def test_a_repeated_request_gives_the_same_run(bench: Bench) -> None:
    request = new(request_id="r1")
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: bench.runs.create("default", request).id, range(12)))
    assert len(set(runs)) == 1
    assert bench.runs.create("other", request).id != runs[0]
    with pytest.raises(AlreadyExists, match="request_id r1"):
        bench.runs.create("default", new(request_id="r1", request_digest="another"))


def test_a_run_needs_a_geometry(bench: Bench) -> None:
    with pytest.raises(NotFound, match="geometries/nothing"):
        bench.runs.create("default", new(geometry="nothing"))


def test_tenants_do_not_meet(bench: Bench) -> None:
    run = bench.new_run()
    for ask in (bench.runs.get, bench.runs.cancel, bench.runs.delete):
        with pytest.raises(NotFound):
            ask("other", run)
    with pytest.raises(NotFound):
        bench.events.after("other", run, 0)
    assert bench.runs.list("other", RunFilter(), 10, None) == []


def test_pages_cover_everything_once_newest_first(bench: Bench) -> None:
    made = []
    for number in range(7):
        bench.clock.now += number % 2  # some at the same time
        made.append(bench.new_run())
    seen: list[str] = []
    after = None
    while page := bench.runs.list("default", RunFilter(), 3, after):
        seen += [run.id for run in page]
        after = (page[-1].created, page[-1].id)
    assert sorted(seen) == sorted(made)
    times = [bench.runs.get("default", run).created for run in seen]
    assert times == sorted(times, reverse=True)


def test_filters(bench: Bench) -> None:
    plain = bench.new_run()
    labelled = bench.runs.create(
        "default", NewRun("part", "static_stress", b"", b"", "d", labels={"project": "bridge"})
    ).id
    bench.runs.cancel("default", plain)

    def listed(chosen: RunFilter) -> list[str]:
        return [run.id for run in bench.runs.list("default", chosen, 10, None)]

    assert listed(RunFilter(states=(RunState.CANCELLED,))) == [plain]
    assert listed(RunFilter(labels={"project": "bridge"})) == [labelled]
    assert listed(RunFilter(labels={"project": "tower"})) == []
    assert listed(RunFilter(geometry="part", states=(RunState.PENDING, RunState.RUNNING))) == [labelled]
    assert listed(RunFilter(geometry="other")) == []


def test_events_are_numbered_without_gaps(bench: Bench) -> None:
    run, bystander = bench.new_run(), bench.new_run()
    lease = bench.leases.claim("w")
    assert lease is not None
    for step in range(5):
        bench.leases.report(
            lease, Progress("solve", step / 5, residual=10.0**-step, numbers={"drag_force": step})
        )
    events = bench.events.after("default", lease.run, 0)
    assert [event.numbers for event in events] == [{}, {}, *({"drag_force": step} for step in range(5))]
    assert [event.sequence for event in events] == list(range(1, 8))
    assert [event.sequence for event in bench.events.after("default", lease.run, 3)] == [4, 5, 6, 7]
    assert bench.runs.get("default", lease.run).fraction == 0.8
    number, news = bench.events.news(0)
    assert news == {("default", run), ("default", bystander)}
    assert bench.events.news(number) == (number, set())
    assert bench.events.latest() == number


def test_a_geometry_in_use_is_not_deleted(bench: Bench) -> None:
    run = bench.new_run()
    with pytest.raises(FailedPrecondition, match=run):
        bench.geometries.delete("default", "part")
    bench.runs.cancel("default", run)
    bench.geometries.delete("default", "part")
    assert bench.geometries.find("default", "part") is None
    assert bench.geometries.find("other", "part") is not None


def test_sqlite_is_set_up_to_be_trusted(bench: Bench) -> None:
    with bench.database.read() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_no_write_lock_is_left_behind(bench: Bench, tmp_path: Path) -> None:
    bench.new_run()
    bench.leases.claim("w")
    other = sqlite3.connect(tmp_path / "twin.sqlite", timeout=0.0, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("ROLLBACK")
    other.close()


def test_a_newer_schema_is_refused_in_words(bench: Bench, tmp_path: Path) -> None:
    with bench.database.write() as connection:
        connection.execute(text("UPDATE schema_version SET version = 99"))
    with pytest.raises(Unavailable, match=r"schema version 99.*update twin"):
        Database.at(tmp_path / "twin.sqlite")


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "twin.sqlite").write_bytes(b"not a database" * 1000)
    with pytest.raises(Unavailable, match="can't be opened"):
        Database.at(tmp_path / "twin.sqlite")


def test_a_home_of_the_first_schema_goes_on(tmp_path: Path) -> None:
    bench = open_bench(tmp_path)
    run = bench.new_run()
    with bench.database.write() as connection:
        for index in ("runs_by_content", "runs_by_pack", "runs_by_state"):
            connection.execute(text(f"DROP INDEX {index}"))
        connection.execute(text("CREATE INDEX runs_by_state ON runs (state, created)"))
        for column in ("content", "background", "held", "keep_fields", "shape", "pack"):
            connection.execute(text(f"ALTER TABLE runs DROP COLUMN {column}"))
        connection.execute(text("ALTER TABLE events DROP COLUMN numbers"))
        for table in ("designs", "sweeps"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("UPDATE schema_version SET version = 1"))
    bench.database.close()
    again = open_bench(tmp_path)
    lease = again.leases.claim("w")
    assert lease is not None
    assert lease.run == run
    assert again.runs.get("default", run).keep_fields
    with again.database.read() as connection:
        assert connection.execute(text("SELECT version FROM schema_version")).scalar_one() == schema.VERSION
        assert connection.execute(text("SELECT count(*) FROM sweeps")).scalar_one() == 0
