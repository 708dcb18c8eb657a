"""Studies of heat conduction."""

from __future__ import annotations

from protos.twin.v1 import study_pb2
from twin.codec.bodies import bodies_from_proto, bodies_to_proto
from twin.codec.load_cases import cases_from_proto
from twin.codec.materials import material_from_proto, material_to_proto
from twin.codec.selectors import selector_from_proto, selector_to_proto
from twin.errors import StudyError
from twin.studies import (
    Convection,
    HeatConduction,
    HeatFlow,
    HeatFlux,
    HeatSource,
    Temperature,
    ThermalLoad,
    ThermalSupport,
)

SupportMessage = study_pb2.ThermalSupport
LoadMessage = study_pb2.ThermalLoad


def heat_conduction_to_proto(study: HeatConduction) -> study_pb2.HeatConduction:
    """The study as a message."""
    return study_pb2.HeatConduction(
        material=material_to_proto(study.material),
        supports=[thermal_support_to_proto(support) for support in study.supports],
        load_cases=[
            study_pb2.ThermalLoadCase(name=name, loads=[thermal_load_to_proto(load) for load in loads])
            for name, loads in study.cases.items()
        ],
        bodies=bodies_to_proto(study.bodies),
    )


def heat_conduction_from_proto(message: study_pb2.HeatConduction) -> HeatConduction:
    """Inverse of `heat_conduction_to_proto`."""
    return HeatConduction(
        material_from_proto(message.material),
        supports=[thermal_support_from_proto(support) for support in message.supports],
        load_cases=cases_from_proto(message.load_cases, thermal_load_from_proto),
        bodies=bodies_from_proto(message.bodies),
    )


def thermal_support_to_proto(support: ThermalSupport) -> SupportMessage:
    """The support as a message."""
    on = selector_to_proto(support.on)
    match support:
        case Temperature(value):
            return SupportMessage(temperature=SupportMessage.Temperature(value=value, on=on))
        case Convection(coefficient, ambient):
            convection = SupportMessage.Convection(coefficient=coefficient, ambient=ambient, on=on)
            return SupportMessage(convection=convection)


def thermal_support_from_proto(message: SupportMessage) -> ThermalSupport:
    """Inverse of `thermal_support_to_proto`."""
    match message.WhichOneof("kind"):
        case "temperature":
            return Temperature(message.temperature.value, selector_from_proto(message.temperature.on))
        case "convection":
            given = message.convection
            return Convection(given.coefficient, given.ambient, selector_from_proto(given.on))
        case _:
            raise StudyError("A support is empty, or of a kind that this version does not know.")


def thermal_load_to_proto(load: ThermalLoad) -> LoadMessage:
    """The load as a message."""
    match load:
        case HeatFlux(value, on):
            return LoadMessage(heat_flux=LoadMessage.HeatFlux(value=value, on=selector_to_proto(on)))
        case HeatFlow(value, on):
            return LoadMessage(heat_flow=LoadMessage.HeatFlow(value=value, on=selector_to_proto(on)))
        case HeatSource(value):
            return LoadMessage(heat_source=LoadMessage.HeatSource(value=value))


def thermal_load_from_proto(message: LoadMessage) -> ThermalLoad:
    """Inverse of `thermal_load_to_proto`."""
    match message.WhichOneof("kind"):
        case "heat_flux":
            return HeatFlux(message.heat_flux.value, selector_from_proto(message.heat_flux.on))
        case "heat_flow":
            return HeatFlow(message.heat_flow.value, selector_from_proto(message.heat_flow.on))
        case "heat_source":
            return HeatSource(message.heat_source.value)
        case _:
            raise StudyError("A load is empty, or of a kind that this version does not know.")
