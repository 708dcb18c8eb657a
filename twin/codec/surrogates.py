"""Surrogates, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from protos.twin.v1 import result_pb2, surrogate_pb2
from twin.codec.arrays import ArrayRecord, array_to_proto
from twin.codec.runs import time_from_proto, time_to_proto
from twin.results.card import Coverage, ModelCard, Split


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version as the contract shows it. run: "runs/{id}"."""

    version: int
    run: str
    created: datetime
    card: ModelCard


@dataclass(frozen=True, slots=True)
class SurrogateView:
    """A surrogate as the contract shows it. name: "surrogates/{id}"; current: of its versions, newest first."""

    name: str
    current: int
    versions: Sequence[VersionView]


def surrogate_to_proto(view: SurrogateView) -> surrogate_pb2.Surrogate:
    """The surrogate as a message."""
    return surrogate_pb2.Surrogate(
        name=view.name,
        current_version=view.current,
        versions=[
            surrogate_pb2.SurrogateVersion(
                version=each.version,
                run=each.run,
                create_time=time_to_proto(each.created),
                card=card_to_proto(each.card),
            )
            for each in view.versions
        ],
    )


def surrogate_from_proto(message: surrogate_pb2.Surrogate) -> SurrogateView:
    """Inverse of `surrogate_to_proto`."""
    versions = [
        VersionView(each.version, each.run, time_from_proto(each.create_time), card_from_proto(each.card))
        for each in message.versions
    ]
    return SurrogateView(message.name, message.current_version, tuple(versions))


def training_to_proto(
    surrogate: str, card: ModelCard, arrays: Sequence[ArrayRecord], errors: Mapping[str, float]
) -> result_pb2.TrainingResult:
    """What a training made."""
    return result_pb2.TrainingResult(
        surrogate=surrogate,
        card=card_to_proto(card),
        arrays=[array_to_proto(each) for each in arrays],
        errors=errors,
    )


def card_to_proto(card: ModelCard) -> surrogate_pb2.ModelCard:
    """The card as a message."""
    return surrogate_pb2.ModelCard(
        study=card.study,
        data=card.data,
        **{name: _split_to_proto(getattr(card.split, name)) for name in ("training", "calibration", "test")},
        metrics=card.metrics,
        coverage={
            name: surrogate_pb2.ModelCard.Levels(levels=[_coverage_to_proto(level) for level in levels])
            for name, levels in card.coverage.items()
        },
        strangers=card.strangers,
        accuracy=card.accuracy,
        networks=card.networks,
        parameters=card.parameters,
        steps=card.steps,
        seconds=card.seconds,
        versions=card.versions,
        warnings=card.warnings,
        start=card.start,
        solver_seconds=card.solver_seconds,
    )


def card_from_proto(message: surrogate_pb2.ModelCard) -> ModelCard:
    """Inverse of `card_to_proto`."""
    return ModelCard(
        study=message.study,
        data=message.data,
        split=Split(*((of.parts, of.cases) for of in (message.training, message.calibration, message.test))),
        metrics=dict(message.metrics),
        coverage={name: _levels(of) for name, of in sorted(message.coverage.items())},
        strangers=message.strangers,
        accuracy=dict(message.accuracy),
        networks=message.networks,
        parameters=message.parameters,
        steps=message.steps,
        seconds=message.seconds,
        versions=dict(message.versions),
        start=message.start,
        solver_seconds=message.solver_seconds if message.HasField("solver_seconds") else None,
        warnings=tuple(message.warnings),
    )


def _split_to_proto(split: tuple[int, int]) -> surrogate_pb2.ModelCard.Split:
    return surrogate_pb2.ModelCard.Split(parts=split[0], cases=split[1])


def _coverage_to_proto(level: Coverage) -> surrogate_pb2.Coverage:
    return surrogate_pb2.Coverage(
        asked=level.asked, found=level.found, low=level.low, high=level.high, width=level.width
    )


def _levels(message: surrogate_pb2.ModelCard.Levels) -> tuple[Coverage, ...]:
    return tuple(Coverage(each.asked, each.found, each.low, each.high, each.width) for each in message.levels)
