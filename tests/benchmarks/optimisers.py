"""How good the fronts are that optimisers find with so many designs, ours beside pymoo's NSGA-II and Optuna's.

`python -m tests.benchmarks.optimisers [--problems RE21 ...] [--designs 1000] [--seeds 3]`

Hypervolume over that of the published front of RE21 to RE37 (real_world.py); ours has its designs as the service plans
them: offspring is chosen while the batch before is still being computed.
"""

from __future__ import annotations

import argparse
import datetime
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import twin
from tests.benchmarks.real_world import PROBLEMS, Problem
from tests.benchmarks.solids import machine
from twin.sweeps import evolution, sampling
from twin.sweeps.space import Space

Floats = NDArray[np.float64]

RESULTS = Path(__file__).parent / "results"
POPULATION = 40


def ours(problem: Problem, designs: int, seed: int) -> Floats:
    """Objectives (n, m)."""
    space = Space([twin.Range(f"x{axis}", *bounds) for axis, bounds in enumerate(problem.bounds)])
    names = [f"f{index}" for index in range(len(problem.ideal))]
    asked = twin.Evolution(designs, dict.fromkeys(names, "min"), population=POPULATION, seed=seed)
    points = sampling.points(asked.first, space.parameters)
    found = problem(points)
    while len(points) < designs:
        unknown = np.arange(len(points)) >= asked.known(len(points))
        columns = {
            name: np.where(unknown, np.nan, values) for name, values in zip(names, found.T, strict=True)
        }
        left = min(asked.batch, designs - len(points))
        following = evolution.propose(space, asked, points, columns, left)
        points, found = np.vstack([points, following]), np.vstack([found, problem(following)])
    return found


def pymoo(problem: Problem, designs: int, seed: int) -> Floats:
    """Likewise, by generations."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem as Asked
    from pymoo.optimize import minimize

    low, high = np.array(problem.bounds, float).T
    seen: list[Floats] = []

    class Counted(Asked):  # type: ignore[misc]
        def _evaluate(self, x: Floats, out: dict[str, Any], *_: Any, **__: Any) -> None:
            out["F"] = problem(x)
            seen.append(out["F"])

    asked = Counted(n_var=len(low), n_obj=len(problem.ideal), xl=low, xu=high)
    minimize(asked, NSGA2(pop_size=POPULATION), ("n_eval", designs), seed=seed, verbose=False)
    return np.vstack(seen)[:designs]


def optuna(problem: Problem, designs: int, seed: int) -> Floats:
    """Likewise, one at a time."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.NSGAIISampler(population_size=POPULATION, seed=seed)
    study = optuna.create_study(directions=["minimize"] * len(problem.ideal), sampler=sampler)

    def values(trial: Any) -> list[float]:
        design = [trial.suggest_float(f"x{axis}", *bounds) for axis, bounds in enumerate(problem.bounds)]
        found: list[float] = problem(np.array([design]))[0].tolist()
        return found

    study.optimize(values, n_trials=designs)
    return np.array([trial.values for trial in study.trials])


CONTENDERS: dict[str, Callable[[Problem, int, int], Floats]] = {
    "ours": ours,
    "pymoo": pymoo,
    "optuna": optuna,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problems", nargs="+", default=[problem.name for problem in PROBLEMS])
    parser.add_argument("--designs", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="the raw figures, in place of the folder of results")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    report: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "command": machine.command("tests.benchmarks.optimisers", None),
        "machine": machine.facts(),
        "designs": options.designs,
        "population": POPULATION,
        "problems": {},
    }
    print(f"{'':22s}" + "".join(f"{name:>22s}" for name in CONTENDERS))
    for problem in PROBLEMS:
        if problem.name not in options.problems:
            continue
        record: dict[str, Any] = {}
        for name, contender in CONTENDERS.items():
            begun = time.perf_counter()
            shares = [
                problem.hypervolume(contender(problem, options.designs, seed))
                for seed in range(1, options.seeds + 1)
            ]
            record[name] = {"shares": shares, "seconds": (time.perf_counter() - begun) / options.seeds}
        report["problems"][problem.name] = record
        told = (f"{np.median(each['shares']):12.4f} {each['seconds']:6.1f} s " for each in record.values())
        print(f"{problem.name} {problem.what:17s}" + " ".join(told), flush=True)
    means = {
        name: float(np.mean([np.median(each[name]["shares"]) for each in report["problems"].values()]))
        for name in CONTENDERS
    }
    report["mean"] = means
    print(f"{'mean of all':22s}" + "".join(f"{mean:12.4f}{'':10s}" for mean in means.values()))
    out = options.out or RESULTS / f"{report['date']}-{machine.facts()['cores']}-cores-optimisers.json"
    out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
