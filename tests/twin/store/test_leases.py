"""Leases: computed at least once, committed exactly once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from store_bench import Bench

from twin.errors import NotFound, SolveFailed, from_record
from twin.store.leases import Lease, LeaseLostError, Progress
from twin.store.states import RunState


def claimed(bench: Bench, worker: str = "w") -> Lease:
    lease = bench.leases.claim(worker)
    assert lease is not None
    return lease


def states(bench: Bench, run: str) -> list[str]:
    return [event.state for event in bench.events.after("default", run, 0) if event.state is not None]


def test_oldest_first_and_one_worker_each(bench: Bench) -> None:
    first = bench.new_run()
    bench.clock.now += 1
    second = bench.new_run("other")
    assert claimed(bench, "a").run == first
    lease = claimed(bench, "b")
    assert (lease.tenant, lease.run) == ("other", second)
    assert bench.leases.claim("c") is None


def test_many_workers_never_share_a_run(bench: Bench) -> None:
    runs = {bench.new_run() for _ in range(20)}
    barrier = threading.Barrier(5)

    def take(worker: str) -> list[str]:
        barrier.wait()
        taken = []
        while (lease := bench.leases.claim(worker)) is not None:
            taken.append(lease.run)
        return taken

    with ThreadPoolExecutor(5) as pool:
        taken = [run for part in pool.map(take, "abcde") for run in part]
    assert len(taken) == 20
    assert set(taken) == runs


def test_a_result_is_committed_once_by_the_holder_of_the_token(bench: Bench) -> None:
    run = bench.new_run()
    stale = claimed(bench, "slow")
    bench.clock.now += 16
    assert bench.leases.expire() == 1
    current = claimed(bench, "quick")
    assert current.fence > stale.fence
    for act in (
        lambda: bench.leases.succeed(stale, [({"from": "slow"}, [])]),
        lambda: bench.leases.renew(stale),
        lambda: bench.leases.report(stale, Progress("solve", 0.5)),
        lambda: bench.leases.fail(stale, SolveFailed("x")),
        lambda: bench.leases.cancelled(stale),
        lambda: bench.leases.cancel_requested(stale),
    ):
        with pytest.raises(LeaseLostError):
            act()
    bench.leases.succeed(current, [({"from": "quick", "error": float("inf")}, [])])
    assert bench.results.get("default", run) == {"from": "quick", "error": float("inf")}
    with pytest.raises(LeaseLostError):
        bench.leases.succeed(current, [({"from": "quick again"}, [])])
    assert states(bench, run) == ["PENDING", "RUNNING", "PENDING", "RUNNING", "SUCCEEDED"]
    with pytest.raises(NotFound):
        bench.results.get("other", run)


def test_renewed_leases_do_not_end(bench: Bench) -> None:
    bench.new_run()
    lease = claimed(bench)
    for _ in range(5):
        bench.clock.now += 10
        bench.leases.renew(lease)
        assert bench.leases.expire() == 0


def test_a_run_that_kills_its_workers_is_given_up_with_words(bench: Bench) -> None:
    run = bench.new_run()
    for _ in range(3):
        lease = claimed(bench)
        bench.leases.report(lease, Progress("mesh", 0.5))
        assert bench.leases.release("w", blame=True) == 1
    assert bench.leases.claim("w") is None
    record = bench.runs.get("default", run)
    assert record.state is RunState.FAILED
    assert record.error is not None
    error = from_record(record.error)
    assert "died 3 times" in error.message
    assert error.facts["phase"] == "mesh"


def test_stopping_the_service_costs_no_attempt(bench: Bench) -> None:
    run = bench.new_run()
    for _ in range(10):
        claimed(bench)
        bench.leases.release("w", blame=False)
    assert bench.runs.get("default", run).state is RunState.PENDING


def test_cancel(bench: Bench) -> None:
    pending = bench.new_run()
    assert bench.runs.cancel("default", pending).state is RunState.CANCELLED
    running = bench.new_run()
    lease = claimed(bench)
    assert not bench.leases.cancel_requested(lease)
    assert bench.runs.cancel("default", running).state is RunState.RUNNING
    assert bench.leases.cancel_requested(lease)
    bench.leases.cancelled(lease)
    assert bench.runs.cancel("default", running).state is RunState.CANCELLED
    assert states(bench, running) == ["PENDING", "RUNNING", "CANCELLED"]
    orphan = bench.new_run()
    claimed(bench, "dies")
    bench.runs.cancel("default", orphan)
    bench.leases.release("dies", blame=True)
    assert bench.runs.get("default", orphan).state is RunState.CANCELLED


def test_deleting_a_running_run_takes_it_from_its_worker(bench: Bench) -> None:
    run = bench.new_run()
    lease = claimed(bench)
    bench.runs.delete("default", run)
    with pytest.raises(LeaseLostError):
        bench.leases.cancel_requested(lease)
    with pytest.raises(NotFound):
        bench.events.after("default", run, 0)


def pack(bench: Bench, count: int = 3) -> list[str]:
    return [bench.new_run(pack="p") for _ in range(count)]


def test_a_pack_is_leased_whole_and_ends_in_one_transaction(bench: Bench) -> None:
    runs = pack(bench)
    bench.clock.now += 1
    bench.new_run("other", pack="p")
    lease = claimed(bench)
    assert {each.run for each in lease.all} == set(runs)
    assert len(claimed(bench, "b").all) == 1  # another tenant's
    bench.clock.now += 10
    bench.leases.renew(lease)
    bench.leases.report(lease, Progress("solve", 0.5))
    bench.clock.now += 10
    assert bench.leases.expire() == 1  # the other tenant's
    bench.leases.succeed(lease, [({"of": each.run}, []) for each in lease.all])
    for run in runs:
        assert bench.results.get("default", run) == {"of": run}
        assert states(bench, run) == ["PENDING", "RUNNING", "SUCCEEDED"]


def test_of_a_pack_that_failed_each_is_tried_alone(bench: Bench) -> None:
    runs = pack(bench)
    bench.leases.fail(claimed(bench), SolveFailed("no convergence"))
    found = [claimed(bench) for _ in runs]
    assert all(lease.attempt == 1 and not lease.beside for lease in found)
    bench.leases.fail(found[0], SolveFailed("no convergence"))
    assert bench.runs.get("default", found[0].run).state is RunState.FAILED


def test_cancelling_one_of_a_pack_leaves_the_others(bench: Bench) -> None:
    runs = pack(bench)
    lease = claimed(bench)
    bench.runs.cancel("default", runs[1])
    assert bench.leases.cancel_requested(lease)
    bench.leases.cancelled(lease)
    assert bench.runs.get("default", runs[1]).state is RunState.CANCELLED
    assert {each.run for each in claimed(bench).all} == {runs[0], runs[2]}


def test_of_a_pack_of_which_one_is_deleted_the_others_start_again(bench: Bench) -> None:
    runs = pack(bench)
    lease = claimed(bench)
    bench.runs.delete("default", runs[2])
    with pytest.raises(LeaseLostError):
        bench.leases.succeed(lease, [({}, [])] * 3)
    bench.leases.put_back(lease)
    assert {each.run for each in claimed(bench).all} == {runs[0], runs[1]}


def test_a_pack_that_kills_its_workers_is_taken_apart(bench: Bench) -> None:
    runs = pack(bench)
    for _ in range(2):
        assert len(claimed(bench).all) == 3
        bench.leases.release("w", blame=True)
    found = [claimed(bench) for _ in runs]
    assert all(lease.attempt == 1 and not lease.beside for lease in found)
    bench.leases.release("w", blame=True)
    assert all(bench.runs.get("default", run).state is RunState.PENDING for run in runs)
