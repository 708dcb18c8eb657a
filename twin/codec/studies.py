"""Studies and the options of a run."""

from __future__ import annotations

from protos.twin.v1 import study_pb2
from twin.codec.enums import EnumWords
from twin.codec.external_flow import external_flow_from_proto, external_flow_to_proto
from twin.codec.heat_conduction import heat_conduction_from_proto, heat_conduction_to_proto
from twin.codec.internal_flow import internal_flow_from_proto, internal_flow_to_proto
from twin.codec.presence import optional_number
from twin.codec.static_stress import static_stress_from_proto, static_stress_to_proto
from twin.errors import StudyError
from twin.studies import (
    DEFAULT_ACCURACY,
    DEFAULT_COVERAGE,
    Discretisation,
    ExternalFlow,
    GradientOf,
    HeatConduction,
    Imported,
    InternalFlow,
    Method,
    Question,
    Request,
    StaticStress,
    Training,
    Wrt,
)

_METHODS: EnumWords[Method, study_pb2.Method.ValueType] = EnumWords(
    "method",
    {
        "auto": study_pb2.METHOD_AUTO,
        "solver": study_pb2.METHOD_SOLVER,
        "surrogate": study_pb2.METHOD_SURROGATE,
    },
    "auto",
)
_DISCRETISATIONS: EnumWords[Discretisation, study_pb2.Discretisation.ValueType] = EnumWords(
    "discretisation",
    {
        "auto": study_pb2.DISCRETISATION_AUTO,
        "tet": study_pb2.DISCRETISATION_TET,
        "grid": study_pb2.DISCRETISATION_GRID,
    },
    "auto",
)
WRTS: EnumWords[Wrt, study_pb2.GradientWrt.ValueType] = EnumWords(
    "wrt",
    {
        "loads": study_pb2.GRADIENT_WRT_LOADS,
        "material": study_pb2.GRADIENT_WRT_MATERIAL,
        "shape": study_pb2.GRADIENT_WRT_SHAPE,
    },
    "loads",
)


def study_to_proto(study: Question) -> study_pb2.Study:
    """The study as a message."""
    match study:
        case StaticStress():
            return study_pb2.Study(static_stress=static_stress_to_proto(study))
        case HeatConduction():
            return study_pb2.Study(heat_conduction=heat_conduction_to_proto(study))
        case ExternalFlow():
            return study_pb2.Study(external_flow=external_flow_to_proto(study))
        case InternalFlow():
            return study_pb2.Study(internal_flow=internal_flow_to_proto(study))
        case GradientOf():
            return study_pb2.Study(
                gradient=study_pb2.Gradient(
                    run=study.run,
                    load_case=study.case,
                    quantity=study.quantity,
                    wrt=WRTS.value(study.wrt),
                )
            )
        case Training():
            return study_pb2.Study(
                training=study_pb2.Training(
                    surrogate=study.surrogate,
                    runs=study.runs,
                    sweeps=study.sweeps,
                    networks=study.networks,
                    steps=study.steps,
                    seed=study.seed,
                    saved=study.saved,
                    start=study.start,
                    escalated=study.escalated,
                )
            )


def study_from_proto(message: study_pb2.Study) -> Question:
    """Inverse of `study_to_proto`. Raises StudyError and the like for what the domain refuses."""
    match study_kind(message):
        case "static_stress":
            return static_stress_from_proto(message.static_stress)
        case "heat_conduction":
            return heat_conduction_from_proto(message.heat_conduction)
        case "external_flow":
            return external_flow_from_proto(message.external_flow)
        case "internal_flow":
            return internal_flow_from_proto(message.internal_flow)
        case "gradient":
            asked = message.gradient
            return GradientOf(asked.run, asked.load_case, asked.quantity, WRTS.word(asked.wrt))
        case "training":
            given = message.training
            chosen = {name: getattr(given, name) for name in ("networks", "steps") if given.HasField(name)}
            return Training(
                given.surrogate,
                given.runs,
                given.sweeps,
                **chosen,
                seed=given.seed,
                saved=given.saved,
                start=given.start,
                escalated=given.escalated,
            )
    raise StudyError(
        "The study is empty, or of a kind that this version does not know. It can be static_stress, "
        "heat_conduction, external_flow, internal_flow, gradient or training."
    )


def study_kind(message: study_pb2.Study) -> str:
    """The name of the study's kind, such as "static_stress"; "" where this version knows none."""
    return message.WhichOneof("kind") or ""


def parse_study(data: bytes) -> Question:
    """The study from its serialised message."""
    return study_from_proto(study_pb2.Study.FromString(data))


def without_load_cases(data: bytes) -> tuple[bytes, int] | None:
    """A serialised study without its load cases, equal for studies that differ in them alone; and how many it has.

    None of a kind of study that has no load cases.
    """
    message = study_pb2.Study.FromString(data)
    asked = getattr(message, study_kind(message))
    if not hasattr(asked, "load_cases"):
        return None
    count = len(asked.load_cases)
    del asked.load_cases[:]
    return message.SerializeToString(deterministic=True), count


def options_to_proto(request: Request) -> study_pb2.SolveOptions:
    """The options as a message."""
    return study_pb2.SolveOptions(
        accuracy=request.accuracy,
        method=_METHODS.value(request.method),
        discretisation=_DISCRETISATIONS.value(request.discretisation),
        quantities=request.quantities or (),
        max_seconds=request.max_seconds,
        max_unknowns=request.max_unknowns,
        surrogate=request.surrogate or "",
        coverage=None if request.coverage == DEFAULT_COVERAGE else request.coverage,
        imported=None
        if request.imported is None
        else study_pb2.ImportedAnswer(
            fields=request.imported.fields,
            relative_error=request.imported.error,
            code=request.imported.code,
        ),
    )


def options_from_proto(message: study_pb2.SolveOptions) -> Request:
    """Inverse of `options_to_proto`; what is absent gets its default."""
    return Request(
        message.accuracy if message.HasField("accuracy") else DEFAULT_ACCURACY,
        method=_METHODS.word(message.method),
        discretisation=_DISCRETISATIONS.word(message.discretisation),
        quantities=tuple(message.quantities) or None,
        max_seconds=optional_number(message, "max_seconds"),
        max_unknowns=message.max_unknowns if message.HasField("max_unknowns") else None,
        surrogate=message.surrogate or None,
        coverage=message.coverage if message.HasField("coverage") else DEFAULT_COVERAGE,
        imported=Imported(message.imported.fields, message.imported.relative_error, message.imported.code)
        if message.HasField("imported")
        else None,
    )


def parse_options(data: bytes) -> Request:
    """The options from their serialised message."""
    return options_from_proto(study_pb2.SolveOptions.FromString(data))
