"""Surrogates of the bracket family of examples/bracket_family.py, which has to be swept first.

`python -m tests.benchmarks.surrogates [--home FOLDER] [--parts ...] [--seeds 3] [--minutes 10]`

    learn      ours (latent routing, FLARE) beside Transolver's attention, each so many minutes on the same parts, and
               Gaussian processes on statistics of the surface, for numbers; another split for each seed
    strangers  AUROC of the distance by which parts are refused: held-out brackets against solids of other kinds
    serving    seconds of an answer over gRPC, with fields on the surface: the first of a part, and the same again
    beams      more parts chosen by `client.improve` against drawn ones; few parts of another kind fitted against new;
               how many of 900 are within their bounds
    ladder     what the way up from a surrogate costs beside a cold solution: iterations, seconds
    outside    plain solids and brackets whose sizes are out of the family's ranges: how many the surrogate answers with
               method="auto", and how many of these answers are off by more than they say
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.stats import qmc
from sklearn.metrics import roc_auc_score

import twin
from examples.bracket_family import NAME as FAMILY
from examples.bracket_family import RANGES, REACH, build, pulled
from surrogates.domain import surface_statistics
from surrogates.mixers import MixerName
from surrogates.training import Schedule, train
from tests.benchmarks.solids import machine
from tests.benchmarks.surrogates import beams, strangers
from tests.benchmarks.surrogates.gaussian_process import GaussianProcess
from twin.analyses.run import set_up
from twin.errors import StudyError
from twin.learning.evaluation import Evaluation
from twin.learning.questions import asked
from twin.learning.training import SIZE, Lesson, Trained, learn, split
from twin.sdk.embedded import default_home
from twin.store.workspace import Workspace
from twin.studies import Request, Training
from twin.units import quantity
from twin.workers.lessons import lessons

RESULTS: Final = Path(__file__).parents[1] / "results"
NUMBERS: Final = ("max_displacement", "max_von_mises", "compliance")
MIXERS: Final[dict[str, MixerName]] = {"ours": "latent_routing", "Transolver": "physics_attention"}
COUNTED: Final = 40  # steps by which the time of one is told


class Silent:
    """Nobody watches."""

    def progress(self, *_: object, **__: object) -> None:
        pass

    def check(self) -> None:
        pass


def family(home: Path) -> list[Lesson]:
    """What the designs of the sweep teach that are done."""
    workspace = Workspace.open(home)
    try:
        swept = [each for each in workspace.sweeps.list("default", 100, None) if each.display_name == FAMILY]
        if not swept:
            raise SystemExit(f"{home} has no sweep {FAMILY}: run python -m examples.bracket_family first")
        runs = workspace.surrogates.learnable("default", Training(FAMILY, sweeps=[swept[0].name]))
        with tempfile.TemporaryDirectory() as folder:
            known = lessons(workspace, "default", Training(FAMILY, runs=runs), Silent(), Path(folder))
            return list(known)
    finally:
        workspace.close()


def dealt(seed: int) -> Training:
    """By which parts are dealt out."""
    return Training(FAMILY, ["runs/all"], networks=1, seed=seed)


def learned(known: Sequence[Lesson], mixer: MixerName, minutes: float, seed: int) -> tuple[Trained, int]:
    """One network, trained for so many minutes; and its steps."""
    size = replace(SIZE, mixer=mixer)
    examples = [lesson.sample.example for lesson in split(known, dealt(seed))["training"]]
    train(examples, size, Schedule(steps=2), seed=seed)  # compiles
    taken = []
    for _ in range(3):  # the fastest is the least disturbed
        begun = time.perf_counter()
        train(examples, size, Schedule(steps=COUNTED), seed=seed)
        taken.append(time.perf_counter() - begun)
    steps = max(int(60 * minutes * COUNTED / min(taken)), COUNTED)
    wanted = replace(dealt(seed), steps=steps)
    with tempfile.TemporaryDirectory() as folder:
        return learn(known, wanted, Path(folder), Silent(), size=size), steps


def by_processes(known: Sequence[Lesson], seed: int) -> dict[str, float]:
    """Of Gaussian processes: each load case by its own, from the statistics of the surface alone."""
    groups = split(known, dealt(seed))
    taught = [*groups["training"], *groups["calibration"]]  # they need no calibration of ours

    def rows(of: Sequence[Lesson]) -> np.ndarray:
        return np.concatenate([surface_statistics(lesson.sample.example.tokens[:1]) for lesson in of])

    begun, found = time.perf_counter(), {}
    for name in NUMBERS:
        guesses, truths = [], []
        for case in taught[0].sample.found:
            values = np.array([[lesson.sample.found[case][name]] for lesson in taught])
            process = GaussianProcess.fit(rows(taught), values, seed)
            guesses.append(process.predict(rows(groups["test"]))[0][:, 0])
            truths.append([lesson.sample.found[case][name] for lesson in groups["test"]])
        guess, truth = np.concatenate(guesses), np.concatenate(truths)
        found[f"{name}, median error"] = float(np.median(np.abs(guess / truth - 1)))
        found[f"{name}, R2"] = float(1 - np.sum((guess - truth) ** 2) / np.sum((truth - truth.mean()) ** 2))
    return {**found, "seconds": time.perf_counter() - begun}


def compared(known: Sequence[Lesson], seeds: int, minutes: float) -> Iterator[tuple[str, dict[str, Any]]]:
    """By name and seed."""
    for seed in range(seeds):
        yield "Gaussian processes", {"seed": seed, **by_processes(known, seed)}
        for name, mixer in MIXERS.items():
            trained, steps = learned(known, mixer, minutes, seed)
            card = trained.card
            coverage = {
                what: [(level.asked, level.found, level.low, level.high, level.width) for level in levels]
                for what, levels in card.coverage.items()
            }
            yield name, {
                "seed": seed, "steps": steps, "seconds": card.seconds, "parts": card.split.training[0],
                "tested": card.split.test[0], "strangers": card.strangers, **card.metrics, "coverage": coverage,
            }  # fmt: skip


def refused(known: Sequence[Lesson], trained: Trained, seed: int) -> dict[str, Any]:
    """How well distances tell what is of the family from what is not."""

    def distance(evaluation: Evaluation) -> float:
        return trained.domain.distance(evaluation.encoded.summary, evaluation.statistics)

    own = [
        distance(Evaluation(lesson.surface, lesson.sample.question, trained.ensemble))
        for lesson in split(known, dealt(seed))["test"]
    ]
    found: dict[str, Any] = {"own": own, "false alarms": float(np.mean(np.array(own) > 1))}
    for kind, parts in (("plain", strangers.plain()), ("SimJEB", strangers.simjeb())):
        others = []
        for _, surface, report, study in parts:
            with tempfile.TemporaryDirectory() as folder:
                task = set_up(
                    surface, report, study, Request(), source=None, monitor=Silent(), workdir=Path(folder)
                )
            try:
                question = asked(surface, task.volume, study, task.regions)
            except StudyError:
                continue  # refused before anything is looked at
            others.append(distance(Evaluation(surface, question, trained.ensemble)))
        if others:
            known_as = np.repeat([0, 1], [len(own), len(others)])
            found[kind] = {
                "parts": len(others),
                "AUROC": float(roc_auc_score(known_as, own + others)),
                "taken for one of the family": float(np.mean(np.array(others) <= 1)),
            }
    return found


def new_parts(count: int, folder: Path) -> Iterator[tuple[Path, dict[str, float]]]:
    """Brackets of the family that nobody has seen, as STEP files, and their sizes [m]."""
    low, high = np.array([[quantity(end, "m") for end in ends] for ends in RANGES.values()]).T
    drawn = qmc.Sobol(len(RANGES), seed=2026).random_base2(math.ceil(math.log2(2 * count)))
    every = [dict(zip(RANGES, map(float, low + place * (high - low)), strict=True)) for place in drawn]
    fitting = [
        sizes for sizes in every if sizes["upright"] / 2 + sizes["rib_length"] + sizes["fillet"] < REACH
    ]
    for number, sizes in enumerate(fitting[:count]):
        path = folder / f"bracket-{number}.step"
        build(**sizes).WriteStep(str(path))
        yield path, sizes


def served(client: twin.Client, count: int) -> dict[str, Any]:
    """Seconds over gRPC from the question to all numbers and fields: parts that are new, and the same again."""
    seconds: dict[str, list[float]] = {"first of a part": [], "again": []}
    points = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, (path, sizes) in enumerate(new_parts(count + 1, Path(folder))):
            part = client.upload(path)
            for what, taken in seconds.items():
                study = pulled(sizes["pin_height"], sizes["pin_radius"])
                begun = time.perf_counter()
                result = client.predict(part, study, FAMILY)
                points = len(result.mesh.points)
                for case in result.cases:
                    assert len(result.case(case).fields["von_mises"].values) == points, what
                if number:  # the first compiles
                    taken.append(time.perf_counter() - begun)
    told = {
        what: {"p50": float(np.percentile(values, 50)), "p95": float(np.percentile(values, 95))}
        for what, values in seconds.items()
    }
    return {**told, "parts": count, "points": points, "cases": 3}


def outside(count: int, folder: Path) -> Iterator[tuple[str, Path, twin.StaticStress]]:
    """Parts that the family has not: plain solids, and brackets of which some sizes are beyond their ranges, by up to
    six tenths of what these are wide.
    """
    yield from strangers.files(folder)
    low, high = np.array([[quantity(end, "m") for end in ends] for ends in RANGES.values()]).T
    random = np.random.default_rng(7)
    made = 0
    while made < count:
        place = random.random(len(RANGES))
        chosen = random.permutation(len(RANGES))[: random.integers(1, 4)]
        beyond = random.uniform(0.1, 0.6, len(chosen))
        place[chosen] = np.where(random.random(len(chosen)) < 0.5, -beyond, 1 + beyond)
        sizes = dict(zip(RANGES, map(float, low + place * (high - low)), strict=True))
        if (
            sizes["upright"] / 2 + sizes["rib_length"] + sizes["fillet"] >= REACH
            or min(sizes.values()) < 1e-3
        ):
            continue
        path = folder / f"outside-{made}.step"
        build(**sizes).WriteStep(str(path))
        made += 1
        named = ", ".join(list(RANGES)[each] for each in sorted(chosen))
        yield f"bracket, {named}", path, pulled(sizes["pin_height"], sizes["pin_radius"])


def trusted(client: twin.Client, count: int, accuracy: float) -> dict[str, Any]:
    """Of parts outside of the family, what the surrogate answers, and how far off that is, in the errors it tells."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, path, study in outside(count, Path(folder)):
            part = client.upload(path, unit="mm") if path.suffix == ".stl" else client.upload(path)
            try:
                found = client.predict(part, study, FAMILY)
            except twin.FailedPrecondition as refusal:
                rows.append({"part": name, "refused": str(refusal)})
                continue
            exact = client.simulate(
                part, study, accuracy=0.05, method="solver", max_unknowns=300_000
            ).result()
            off, wide = {}, {}
            for case in found.cases:
                for number in NUMBERS:
                    said, true = (each.case(case).quantities[number] for each in (found, exact))
                    own = said.error + true.error
                    off[f"{case} {number}"] = abs(said.value - true.value) / own
                    wide[f"{case} {number}"] = said.relative_error
            answers = max(wide.values()) <= accuracy
            rows.append({"part": name, "answers": answers, "off": off, "wide": wide})
            print(rows[-1]["part"], answers, max(off.values()), flush=True)
    known = [row for row in rows if "off" in row]
    answered = [row for row in known if row["answers"]]
    return {
        "accuracy": accuracy,
        "parts": len(rows),
        "refused": len(rows) - len(known),
        "bounds too wide": len(known) - len(answered),
        "answered": len(answered),
        "answered, off by more than it says": sum(max(row["off"].values()) > 1 for row in answered),
        "known, off by more than it says": sum(max(row["off"].values()) > 1 for row in known),
        "rows": rows,
    }


def climbed(client: twin.Client, count: int, accuracy: float) -> dict[str, Any]:
    """From the surrogate's field, and cold, each to the same accuracy: iterations, seconds, numbers."""
    rows = []
    asked_for: dict[str, Any] = {"accuracy": accuracy, "max_unknowns": 150_000}
    with tempfile.TemporaryDirectory() as folder:
        for number, (path, sizes) in enumerate(new_parts(count + 1, Path(folder))):
            part, study = client.upload(path), pulled(sizes["pin_height"], sizes["pin_radius"])
            cold = client.simulate(part, study, method="solver", **asked_for).result()
            warm = client.simulate(part, study, surrogate=FAMILY, **asked_for).result()
            if not number:  # compiles
                continue
            apart = [
                abs(warm.case(case).quantities[name].value / cold.case(case).quantities[name].value - 1)
                for case in cold.cases
                for name in NUMBERS
            ]
            rows.append({
                "rungs": [(rung.name, rung.answered, rung.seconds) for rung in warm.rungs],
                "iterations": [[row.iterations for row in found.convergence] for found in (warm, cold)],
                "unknowns": [[row.unknowns for row in found.convergence] for found in (warm, cold)],
                "seconds": [dict(found.cost.seconds) for found in (warm, cold)],
                "apart": max(apart),
            })  # fmt: skip
    return {"accuracy": accuracy, "parts": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=default_home())
    parser.add_argument(
        "--parts", nargs="+", default=["beams", "learn", "strangers", "serving", "ladder", "outside"]
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--count", type=int, default=8, help="brackets that are asked about")
    given = parser.parse_args()
    found: dict[str, Any] = {
        "date": str(datetime.date.today()),
        "command": machine.command("tests.benchmarks.surrogates", None),
        "machine": machine.facts(),
    }
    if "beams" in given.parts:
        found["beams"] = {
            what: [of(seed) for seed in range(given.seeds)]
            for what, of in (("improve", beams.chosen), ("start", beams.fitted), ("coverage", beams.covered))
        }
        print(json.dumps(found["beams"], indent=1), flush=True)
    if {"learn", "strangers"} & set(given.parts):
        known = family(given.home)
        print(f"{len(known)} runs of the family", flush=True)
        if "learn" in given.parts:
            found["learn"] = []
            for name, row in compared(known, given.seeds, given.minutes):
                found["learn"].append({"of": name, **row})
                print(name, {key: value for key, value in row.items() if key != "coverage"}, flush=True)
        if "strangers" in given.parts:
            trained, _ = learned(known, MIXERS["ours"], given.minutes, seed=0)
            found["strangers"] = refused(known, trained, seed=0)
            print(found["strangers"], flush=True)
    if {"serving", "ladder", "outside"} & set(given.parts):
        with twin.local(given.home) as client:
            if "serving" in given.parts:
                found["serving"] = served(client, given.count)
                print(found["serving"], flush=True)
            if "ladder" in given.parts:
                found["ladder"] = climbed(client, given.count, 0.05)
                print(found["ladder"], flush=True)
            if "outside" in given.parts:
                found["outside"] = trusted(client, 3 * given.count, 0.6)
                print({key: value for key, value in found["outside"].items() if key != "rows"}, flush=True)
    cores = machine.facts()["cores"]
    path = RESULTS / f"{found['date']}-{cores}-cores-surrogates-{'-'.join(given.parts)}.json"
    path.write_text(json.dumps(found, indent=1) + "\n")
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
