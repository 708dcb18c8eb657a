"""Parameters, and which designs there are of them."""

from __future__ import annotations

from protos.twin.v1 import sweep_pb2
from twin.codec.enums import EnumWords
from twin.errors import StudyError
from twin.sweeps.parameters import Choice, Integers, Levels, Parameter, Range
from twin.sweeps.sampling import Factorial, LatinHypercube, Points, Sampling
from twin.sweeps.sequences import Halton, Sobol
from twin.sweeps.sequential import Adaptive, Algorithm, Bayesian, Descent, Evolution, Optimiser, Verification

_ALGORITHMS: EnumWords[Algorithm, sweep_pb2.Sampling.Evolution.Algorithm.ValueType] = EnumWords(
    "algorithm",
    {
        "NSGA-II": sweep_pb2.Sampling.Evolution.ALGORITHM_NSGA_II,
        "CMA-ES": sweep_pb2.Sampling.Evolution.ALGORITHM_CMA_ES,
    },
    "NSGA-II",
)


def parameter_to_proto(parameter: Parameter) -> sweep_pb2.Parameter:
    """The parameter as a message."""
    message = sweep_pb2.Parameter(name=parameter.name, unit=parameter.unit)
    match parameter:
        case Range():
            message.range.low, message.range.high = parameter.low, parameter.high
        case Integers():
            message.integers.low, message.integers.high = parameter.low, parameter.high
        case Levels():
            message.levels.values.extend(parameter.levels)
        case Choice():
            message.choice.words.extend(parameter.words)
    return message


def parameter_from_proto(message: sweep_pb2.Parameter) -> Parameter:
    """Inverse of `parameter_to_proto`; a choice has its words alone. Raises StudyError."""
    match message.WhichOneof("kind"):
        case "range":
            return Range(message.name, message.range.low, message.range.high, message.unit)
        case "integers":
            return Integers(message.name, message.integers.low, message.integers.high, message.unit)
        case "levels":
            return Levels(message.name, list(message.levels.values), message.unit)
        case "choice":
            return Choice(message.name, list(message.choice.words))
    raise StudyError(f"The parameter {message.name} is of a kind that this version does not know.")


def sampling_to_proto(asked: Sampling) -> sweep_pb2.Sampling:
    """The sampling as a message."""
    match asked:
        case Factorial(levels):
            return sweep_pb2.Sampling(factorial=sweep_pb2.Sampling.Factorial(levels=levels))
        case LatinHypercube(count, seed):
            return sweep_pb2.Sampling(
                latin_hypercube=sweep_pb2.Sampling.LatinHypercube(count=count, seed=seed)
            )
        case Sobol(count, seed, skip):
            return sweep_pb2.Sampling(sobol=sweep_pb2.Sampling.Sequence(count=count, seed=seed, skip=skip))
        case Halton(count, seed, skip):
            return sweep_pb2.Sampling(halton=sweep_pb2.Sampling.Sequence(count=count, seed=seed, skip=skip))
        case Evolution():
            evolution = sweep_pb2.Sampling.Evolution(
                count=asked.count,
                seed=asked.seed,
                population=asked.population,
                objectives=_objectives(asked),
                subject_to=asked.subject_to,
                algorithm=_ALGORITHMS.value(asked.algorithm),
            )
            return sweep_pb2.Sampling(evolution=evolution)
        case Descent():
            descent = sweep_pb2.Sampling.Descent(
                count=asked.count,
                objective=_objectives(asked)[0],
                subject_to=asked.subject_to,
                start=asked.start,
            )
            return sweep_pb2.Sampling(descent=descent)
        case Bayesian():
            names = ("count", "seed", "initial", "batch", "subject_to")
            bayesian = sweep_pb2.Sampling.Bayesian(
                **{name: getattr(asked, name) for name in names}, objective=_objectives(asked)[0]
            )
            return sweep_pb2.Sampling(bayesian=bayesian)
        case Adaptive():
            names = ("count", "seed", "initial", "batch", "quantities")
            adaptive = sweep_pb2.Sampling.Adaptive(**{name: getattr(asked, name) for name in names})
            return sweep_pb2.Sampling(adaptive=adaptive)
        case Verification(count):
            return sweep_pb2.Sampling(verification=sweep_pb2.Sampling.Verification(count=count))
        case Points(rows):
            return sweep_pb2.Sampling(
                points=sweep_pb2.Points(values=[value for row in rows for value in row])
            )


def sampling_from_proto(message: sweep_pb2.Sampling, width: int) -> Sampling:
    """Inverse of `sampling_to_proto`; width: the number of parameters."""
    match message.WhichOneof("kind"):
        case "factorial":
            return Factorial(message.factorial.levels)
        case "latin_hypercube":
            return LatinHypercube(message.latin_hypercube.count, message.latin_hypercube.seed)
        case "sobol":
            return Sobol(message.sobol.count, message.sobol.seed, message.sobol.skip)
        case "halton":
            return Halton(message.halton.count, message.halton.seed, message.halton.skip)
        case "evolution":
            goal = message.evolution
            return Evolution(
                goal.count,
                {entry.quantity: _way(entry) for entry in goal.objectives},
                tuple(goal.subject_to),
                goal.population,
                goal.seed,
                _ALGORITHMS.word(goal.algorithm),
            )
        case "descent":
            down = message.descent
            objectives = {down.objective.quantity: _way(down.objective)}
            return Descent(down.count, objectives, tuple(down.subject_to), dict(down.start))
        case "bayesian":
            best = message.bayesian
            return Bayesian(
                best.count,
                {best.objective.quantity: _way(best.objective)},
                tuple(best.subject_to),
                best.initial,
                best.batch,
                best.seed,
            )
        case "adaptive":
            own = message.adaptive
            return Adaptive(own.count, own.seed, own.initial, own.batch, tuple(own.quantities))
        case "verification":
            return Verification(message.verification.count)
        case "points":
            values = list(message.points.values)
            if len(values) % width:
                raise StudyError(
                    f"points has {len(values)} values, which is no multiple of the {width} parameters."
                )
            return Points([values[start : start + width] for start in range(0, len(values), width)])
    raise StudyError("The sampling is of a kind that this version does not know.")


def _objectives(asked: Optimiser) -> list[sweep_pb2.Sampling.Objective]:
    return [
        sweep_pb2.Sampling.Objective(quantity=name, maximise=how == "max")
        for name, how in asked.objectives.items()
    ]


def _way(message: sweep_pb2.Sampling.Objective) -> str:
    return "max" if message.maximise else "min"
