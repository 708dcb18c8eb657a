"""Studies of internal flow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from protos.twin.v1 import study_pb2
from twin.codec.enums import EnumWords
from twin.codec.fluids import fluid_from_proto, fluid_to_proto
from twin.codec.presence import optional_number
from twin.codec.selectors import selector_from_proto, selector_to_proto
from twin.errors import StudyError
from twin.studies import Inlet, InletProfile, InternalFlow, Outlet

_PROFILES: EnumWords[InletProfile, study_pb2.InletProfile.ValueType] = EnumWords(
    "profile of Inlet",
    {"developed": study_pb2.INLET_PROFILE_DEVELOPED, "uniform": study_pb2.INLET_PROFILE_UNIFORM},
    "developed",
)


def internal_flow_to_proto(study: InternalFlow) -> study_pb2.InternalFlow:
    """The study as a message."""
    return study_pb2.InternalFlow(
        inlets=[_inlet_to_proto(name, each) for name, each in study.inlets.items()],
        outlets=[
            study_pb2.Outlet(name=name, on=selector_to_proto(each.on), pressure=each.pressure)
            for name, each in study.outlets.items()
        ],
        fluid=fluid_to_proto(study.fluid),
    )


def internal_flow_from_proto(message: study_pb2.InternalFlow) -> InternalFlow:
    """Inverse of `internal_flow_to_proto`. Raises StudyError where two openings have one name."""
    _refuse_twice([*(each.name for each in message.inlets), *(each.name for each in message.outlets)])
    return InternalFlow(
        {
            each.name: Inlet(
                selector_from_proto(each.on),
                optional_number(each, "velocity"),
                optional_number(each, "flow_rate"),
                _PROFILES.word(each.profile),
            )
            for each in message.inlets
        },
        {each.name: Outlet(selector_from_proto(each.on), each.pressure) for each in message.outlets},
        fluid_from_proto(message.fluid),
    )


def _inlet_to_proto(name: str, inlet: Inlet) -> study_pb2.Inlet:
    message = study_pb2.Inlet(
        name=name, on=selector_to_proto(inlet.on), profile=_PROFILES.value(inlet.profile)
    )
    if inlet.velocity is not None:
        message.velocity = inlet.velocity
    else:
        assert inlet.flow_rate is not None
        message.flow_rate = inlet.flow_rate
    return message


def _refuse_twice(names: Iterable[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise StudyError(
                f"{count} openings are called {name!r}. Give them different names.", {"name": name}
            )
