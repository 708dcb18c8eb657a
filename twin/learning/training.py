"""From finished runs to a surrogate that knows its errors."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

import jax
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from surrogates import conformal, training
from surrogates.conformal import Calibration
from surrogates.domain import Domain
from surrogates.elasticity import BASES, FEATURES, GROUPS
from surrogates.ensemble import Ensemble, Prediction
from surrogates.examples import Target
from surrogates.operator import Size
from surrogates.training import Schedule, Step
from twin.analyses.monitor import Monitor
from twin.errors import FailedPrecondition
from twin.geometry.surface import Surface
from twin.learning.evaluation import Evaluation, errors_of
from twin.learning.samples import SURFACE, Sample
from twin.results.card import FIELDS, Coverage, ModelCard, Split
from twin.results.zones import Zones
from twin.studies.training import Training, refuse_too_few

Floats = NDArray[np.float64]

SIZE: Final = Size(FEATURES, len(BASES), GROUPS)
LEVELS: Final = (0.5, 0.8, 0.9, 0.95)
_EVERY: Final = 250  # steps between checkpoints, at the most
_CALIBRATION, _TEST = 0.25, 0.15  # shares of the parts
_LEAST_CALIBRATION: Final = 10
_FALSE_ALARMS: Final = 0.02
_TRAINED: Final = 0.85  # of the progress bar


class Trained(NamedTuple):
    """A surrogate: what answers, what bounds, what refuses, and what is known of it.

    errors: of each run that no network has seen, the mean relative error of its numbers
    """

    ensemble: Ensemble
    calibration: Calibration
    domain: Domain
    card: ModelCard
    errors: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a run teaches, its part, and the zones around the singular places of it."""

    sample: Sample
    surface: Surface
    zones: Zones

    @property
    def part(self) -> str:
        return self.sample.part


def learn(
    lessons: Iterable[Lesson],
    asked: Training,
    folder: Path,
    monitor: Monitor,
    *,
    start: Ensemble | None = None,
    taught: Collection[str] = (),
    size: Size = SIZE,
) -> Trained:
    """Train, calibrate and test.

    Args:
        folder: of checkpoints; a training that was killed goes on from what lies there
        start: networks that are made to fit, one after the other; taught: the runs that these learned from
        size: of new ones

    Raises:
        FailedPrecondition: there are too few parts
    """
    begun = time.perf_counter()
    known = list(lessons)
    groups = split(known, asked, taught)
    examples = [lesson.sample.example for lesson in groups["training"]]
    size = size if start is None else start.size
    members = []
    for number in range(asked.networks):
        members.append(
            training.train(
                examples,
                size,
                Schedule(steps=asked.steps, every=min(_EVERY, max(10, asked.steps // 20))),
                seed=asked.seed * 1000 + number,
                folder=folder / f"network-{number}",
                report=_reporting(monitor, number, asked),
                start=None if start is None else start.members[number % len(start.members)],
            )
        )
    ensemble = Ensemble(size, tuple(members))
    monitor.progress("estimate", _TRAINED, "calibrating and testing on parts that no network has seen")
    seen = {name: _by_part(groups[name], ensemble, monitor) for name in ("calibration", "test")}
    calibration = Calibration(_scores(seen["calibration"]))
    learned = _by_part(groups["training"], ensemble, monitor, encoded_only=True)
    domain = Domain.of(
        [look.views for look in learned],
        [look.views for look in seen["calibration"]],
        [case for lesson in groups["training"] for case in lesson.sample.loads],
        _FALSE_ALARMS,
    )
    card = _card(asked, groups, seen, calibration, domain, ensemble, time.perf_counter() - begun)
    errors = {run: look.error for group in seen.values() for look in group for run in look.runs}
    return Trained(ensemble, calibration, domain, card, errors)


def split(
    lessons: Sequence[Lesson], asked: Training, taught: Collection[str] = ()
) -> dict[str, list[Lesson]]:
    """By parts, which chance deals out: the same part is never learned from and tested on.

    taught: runs that the networks have learned from before, whose parts they learn from again
    Raises FailedPrecondition where too few parts are there, or are new to the networks.
    """
    parts = sorted({lesson.part for lesson in lessons})
    refuse_too_few(len(parts), asked)
    old = {lesson.part for lesson in lessons if lesson.sample.run in taught}
    new = [part for part in parts if part not in old]
    calibration = max(_LEAST_CALIBRATION, round(_CALIBRATION * len(parts)))
    test = min(round(_TEST * len(parts)), len(new) - _LEAST_CALIBRATION)
    if test < 1:
        raise FailedPrecondition(
            f"The networks that it starts from have learned from {len(old)} of the {len(parts)} parts, and bounds need "
            f"{_LEAST_CALIBRATION + 1} that they have not seen. Train on more parts, or without start.",
            {"new": len(new), "needed": _LEAST_CALIBRATION + 1},
        )
    order = np.random.default_rng(asked.seed).permutation(len(new))
    ends = np.cumsum([min(calibration, len(new) - test), test])
    dealt = {"calibration": order[: ends[0]], "test": order[ends[0] : ends[1]], "training": order[ends[1] :]}
    group_of = dict.fromkeys(old, "training")
    group_of.update({new[index]: name for name, these in dealt.items() for index in these})
    groups: dict[str, list[Lesson]] = {name: [] for name in ("training", "calibration", "test")}
    for lesson in lessons:
        groups[group_of[lesson.part]].append(lesson)
    return groups


@dataclass(frozen=True, eq=False)
class _Look:
    """What an ensemble makes of a part, over all load cases of all of its runs.

    views: vectors by which strangers are known (problems, d); scores: of each field and quantity, the largest error
    over what was expected
    found, exact: of each quantity, by load case; relative: L2 errors of fields; widths: of what was expected over the
    value, by load case
    runs: of the part
    """

    runs: tuple[str, ...]
    views: tuple[Floats, Floats]
    scores: Mapping[str, float] = field(default_factory=dict)
    found: Mapping[str, Floats] = field(default_factory=dict)
    exact: Mapping[str, Floats] = field(default_factory=dict)
    relative: Mapping[str, Floats] = field(default_factory=dict)
    widths: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def error(self) -> float:
        """Mean relative error of the numbers."""
        return float(np.mean([np.abs(self.found[name] / self.exact[name] - 1).mean() for name in self.found]))


def _by_part(
    lessons: Sequence[Lesson], ensemble: Ensemble, monitor: Monitor, *, encoded_only: bool = False
) -> list[_Look]:
    """encoded_only: of parts that were learned from, whose errors say nothing."""
    runs: dict[str, list[Lesson]] = defaultdict(list)
    for lesson in lessons:
        runs[lesson.part].append(lesson)
    return [_look(each, ensemble, monitor, encoded_only) for each in runs.values()]


def _look(lessons: Sequence[Lesson], ensemble: Ensemble, monitor: Monitor, encoded_only: bool) -> _Look:
    columns: dict[str, dict[str, list[float]]] = {
        what: defaultdict(list) for what in ("score", "found", "exact", "relative", "width")
    }
    views = []
    for lesson in lessons:
        monitor.progress("estimate", _TRAINED, "calibrating and testing on parts that no network has seen")
        evaluation = Evaluation(lesson.surface, lesson.sample.question, ensemble)
        views.append((evaluation.encoded.summary, evaluation.statistics))
        if not encoded_only:
            _compare_fields(lesson, evaluation, columns)
            _compare_numbers(lesson, evaluation, columns)
    latents, statistics = (np.concatenate(each) for each in zip(*views, strict=True))
    arrays = {what: {name: np.array(values) for name, values in of.items()} for what, of in columns.items()}
    return _Look(
        tuple(lesson.sample.run for lesson in lessons),
        (latents, statistics),
        {name: float(values.max()) for name, values in arrays["score"].items()},
        arrays["found"],
        arrays["exact"],
        arrays["relative"],
        arrays["width"],
    )


def _compare_fields(
    lesson: Lesson, evaluation: Evaluation, columns: Mapping[str, dict[str, list[float]]]
) -> None:
    sample = lesson.sample
    target, inside = sample.example.surface, sample.example.volume
    fields, exact, off = _compared(evaluation, target, sample.scales, surface=True)
    expected, sizes = evaluation.expected_errors(fields), errors_of(exact, np.zeros_like(exact))
    if inside is not None:
        _, values, apart = _compared(evaluation, inside, sample.scales, surface=False)
        whole = errors_of(values, np.zeros_like(values))
        for index, name in enumerate(FIELDS):
            ratios = np.linalg.norm(apart[..., index], axis=1) / np.linalg.norm(whole[..., index], axis=1)
            columns["relative"][f"{name} inside"] += ratios.tolist()
    for number, case in enumerate(sample.question.cases):
        outside = sample.outside[case]
        for index, name in enumerate(FIELDS):
            error, wide, size = (each[number, :, index] for each in (off, expected, sizes))
            where = outside if name == "stress" and outside.any() else np.ones_like(outside)
            columns["score"][name].append(float((error[where] / wide[where]).max()))
            error, wide, size = (each[:SURFACE] for each in (error, wide, size))  # by area, without peaks
            columns["relative"][name].append(float(np.linalg.norm(error) / np.linalg.norm(size)))
            columns["width"][name].append(float(np.median(wide) / size.max()))


def _compare_numbers(
    lesson: Lesson, evaluation: Evaluation, columns: Mapping[str, dict[str, list[float]]]
) -> None:
    for case, found in lesson.sample.found.items():
        numbers = evaluation.numbers(case, lesson.zones.of(case))
        for name in found.keys() & numbers.keys():
            guess, true = numbers[name], found[name]
            columns["score"][name].append(abs(guess.value - true) / guess.expected)
            columns["found"][name].append(guess.value)
            columns["exact"][name].append(true)
            columns["width"][name].append(guess.expected / abs(guess.value))


def _scores(looks: Sequence[_Look]) -> dict[str, Floats]:
    """Of each field and quantity, those of all parts that have it."""
    names = dict.fromkeys(name for look in looks for name in look.scores)
    return {name: np.array([look.scores[name] for look in looks if name in look.scores]) for name in names}


def _all(looks: Sequence[_Look], of: Callable[[_Look], Mapping[str, Floats]], name: str) -> Floats:
    return np.concatenate([of(look)[name] for look in looks if name in of(look)])


def _compared(
    evaluation: Evaluation, target: Target, scales: Floats, *, surface: bool
) -> tuple[Prediction, Floats, Floats]:
    """What is found at the points of a target, what is true there, and the errors (cases, k, groups)."""
    fields = evaluation.fields(target.queries, surface=surface)
    exact = target.values.astype(np.float64) * scales[:, None]
    return fields, exact, errors_of(fields.mean, exact)


def _card(
    asked: Training,
    groups: Mapping[str, Sequence[Lesson]],
    seen: Mapping[str, Sequence[_Look]],
    calibration: Calibration,
    domain: Domain,
    ensemble: Ensemble,
    seconds: float,
) -> ModelCard:
    test = seen["test"]
    metrics: dict[str, float] = {}
    for name in dict.fromkeys(name for look in test for name in look.relative):
        metrics[f"{name}, relative L2"] = float(np.median(_all(test, lambda look: look.relative, name)))
    for name in dict.fromkeys(name for look in test for name in look.exact):
        found, exact = _all(test, lambda look: look.found, name), _all(test, lambda look: look.exact, name)
        metrics[f"{name}, median error"] = float(np.median(np.abs(found / exact - 1)))
        spread = np.sum((exact - exact.mean()) ** 2)
        if spread > 0:
            metrics[f"{name}, R2"] = float(1 - np.sum((found - exact) ** 2) / spread)
    coverage = {
        name: tuple(_coverage(name, level, calibration, test) for level in LEVELS)
        for name in calibration.scores
        if any(name in look.scores for look in test)
    }
    strangers = np.mean([not domain.distance(*look.views) <= 1 for look in test])
    samples = [lesson.sample for group in groups.values() for lesson in group]
    taken = [sample.seconds for sample in samples if sample.seconds is not None]
    estimates = [errors for sample in samples for errors in sample.errors.values()]
    names = dict.fromkeys(name for errors in estimates for name in errors)
    accuracy = {
        name: float(np.median([errors[name] for errors in estimates if name in errors])) for name in names
    }
    size = sum(leaf.size for leaf in jax.tree.leaves(nnx.state(ensemble.members[0], nnx.Param)))
    return ModelCard(
        study="static_stress",
        data=_digest(samples),
        split=Split(*(
            (len({lesson.part for lesson in groups[name]}), sum(len(lesson.sample.scales) for lesson in groups[name]))
            for name in ("training", "calibration", "test")
        )),
        metrics=metrics,
        coverage=coverage,
        strangers=float(strangers),
        accuracy=accuracy,
        networks=asked.networks,
        parameters=int(size),
        steps=asked.steps,
        seconds=seconds,
        start=asked.start,
        solver_seconds=float(np.median(taken)) if taken else None,
        versions={name: version(name) for name in ("twin", "jax", "flax")},
        warnings=tuple(_warnings(accuracy, coverage)),
    )  # fmt: skip


def _coverage(name: str, level: float, calibration: Calibration, test: Sequence[_Look]) -> Coverage:
    factor = calibration.factor(name, level)
    held = [look.scores[name] <= factor for look in test if name in look.scores]
    low, high = conformal.expected_coverage(len(calibration.scores[name]), level)
    width = factor * float(np.median(_all(test, lambda look: look.widths, name)))
    return Coverage(level, float(np.mean(held)), low, high, width)


def _warnings(accuracy: Mapping[str, float], coverage: Mapping[str, Sequence[Coverage]]) -> Iterable[str]:
    for name, error in accuracy.items():
        if not error < 0.1:
            yield (
                f"The runs that it learned from estimate their own error of {name} at {error:.0%} in the median: it "
                "can't be better than they are, and its bounds speak of the difference from them."
            )
    for name, levels in coverage.items():
        missed = [each for each in levels if not np.isfinite(each.width)]
        if missed:
            yield (
                f"Bounds of {name} for more than {missed[0].asked:.0%} of parts take more calibration parts than there "
                "are."
            )


def _digest(samples: Iterable[Sample]) -> str:
    """Of what was learned from: runs by their names, fields at points, numbers."""
    found = hashlib.sha256()
    for sample in sorted(samples, key=lambda sample: sample.run):
        found.update(sample.run.encode())
        for target in (sample.example.surface, sample.example.volume):
            if target is not None:
                found.update(np.ascontiguousarray(target.values).tobytes())
        found.update(repr([*sample.found.items()]).encode())
    return f"sha256:{found.hexdigest()}"


def _reporting(monitor: Monitor, number: int, asked: Training) -> training.Report:
    def report(step: Step) -> None:
        share = (number + step.number / asked.steps) / asked.networks
        monitor.progress(
            "train",
            0.05 + (_TRAINED - 0.05) * share,
            f"network {number + 1} of {asked.networks}, step {step.number:,} of {asked.steps:,}, error {step.loss:.3f}",
            numbers={"loss": step.loss},
        )

    return report
