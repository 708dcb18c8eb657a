"""This project, by the calls that a static stress analysis makes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

from solvers.elasticity.invariants import von_mises
from solvers.elasticity.law import lame
from solvers.precision import float64
from solvers.tet10 import steady
from solvers.tet10.recovery import Recovery
from tests.benchmarks.solids.case import POISSONS_RATIO, YOUNGS_MODULUS, Answer, Case

_COMPILING = {
    "/jax/core/compile/jaxpr_trace_duration": "trace",
    "/jax/core/compile/jaxpr_to_mlir_module_duration": "lower",
    "/jax/core/compile/backend_compile_duration": "compile or fetch",
}
BACKEND = "compile or fetch"
ITERATIONS_TOLERANCE = 1e-6  # at which iterations are counted against the size of the elements


class Compilations:
    """What jax traces, lowers and compiles (or fetches from its cache): program and seconds, by phase."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, float]] = []

    @staticmethod
    @contextmanager
    def watched() -> Iterator[Compilations]:
        """Listen to jax while the block runs."""
        found = Compilations()

        def listen(event: str, seconds: float, **about: Any) -> None:
            if event in _COMPILING:
                found.events.append((_COMPILING[event], str(about.get("fun_name", "")), seconds))

        jax.monitoring.register_event_duration_secs_listener(listen)
        try:
            yield found
        finally:
            jax.monitoring.unregister_event_duration_listener(listen)

    def programs(self) -> dict[str, float]:
        """Seconds of compilation (or of fetching) by program, slowest first."""
        total: dict[str, float] = {}
        for phase, name, seconds in self.events:
            if phase == BACKEND:
                total[name] = total.get(name, 0.0) + seconds
        return dict(sorted(total.items(), key=lambda item: -item[1]))

    def seconds(self) -> dict[str, float]:
        """Seconds by phase."""
        return {
            phase: sum(s for p, _, s in self.events if p == phase)
            for phase in dict.fromkeys(_COMPILING.values())
        }


def answer(case: Case, label: str, tolerance: float = steady.TOLERANCE) -> tuple[Answer, list[Any]]:
    """From arrays to stress; also the shapes and types of what was compiled for, to tell size buckets apart."""
    with Compilations.watched() as compilations:
        begun, processor = time.perf_counter(), time.process_time()
        held = np.where(case.fixed[:, None, None], np.eye(3), 0.0)
        material = float64(lame)(YOUNGS_MODULUS, POISSONS_RATIO)
        problem = steady.prepare(case.points, case.tets, material, held, np.zeros_like(case.points))
        recovery = Recovery(problem, case.points, case.tets)
        arrays = jax.tree.leaves(vars(problem))
        jax.block_until_ready(arrays)
        prepared = time.perf_counter()
        solution = steady.solve(problem, case.force, tolerance=tolerance)
        solved = time.perf_counter()
        stress = von_mises(recovery(solution.field).nodal)
        done = time.perf_counter()
    found = Answer(
        label,
        {"setup": prepared - begun, "solve": solved - prepared, "stress": done - solved},
        solution.field,
        stress,
        solution.iterations,
        solution.residual,
        {"compilation": compilations.seconds(), "programs": compilations.programs()},
        time.process_time() - processor,
    )
    return found, [getattr(leaf, "shape", ()) for leaf in arrays]


def run(cases: Sequence[Case], method: str) -> list[Answer]:
    """`cold`, `iterations`: the first case. `warm`: the first, the other part, the first again; `again`: it twice."""
    case, *others = cases
    if method == "iterations":
        return [answer(case, "", ITERATIONS_TOLERANCE)[0]]
    if method == "cold":
        return [answer(case, "cold cache")[0]]
    if method == "again":
        return [answer(case, label)[0] for label in ("first in its process", "same process, again")]
    first, shapes = answer(case, "new process, warm cache")
    answers = [first]
    for other in others:
        hot, its_shapes = answer(other, "same process, another part")
        assert hot.details is not None
        same, compiled = shapes == its_shapes, len(hot.details["programs"])
        if same and compiled:
            raise AssertionError(f"another part of the same size bucket compiled {hot.details['programs']}")
        hot.details.update({"another part": True, "same bucket": same})
        answers.append(hot)
    answers.append(answer(case, "same process, again")[0])
    return answers
