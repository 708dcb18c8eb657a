"""Studies of static stress."""

from __future__ import annotations

from protos.twin.v1 import study_pb2
from twin.codec.bodies import bodies_from_proto, bodies_to_proto
from twin.codec.enums import EnumWords
from twin.codec.load_cases import cases_from_proto
from twin.codec.materials import material_from_proto, material_to_proto
from twin.codec.presence import optional_number
from twin.codec.selectors import selector_from_proto, selector_to_proto
from twin.codec.vectors import vector_from_proto, vector_to_proto
from twin.errors import StudyError
from twin.studies import (
    Centrifugal,
    Coupling,
    Displacement,
    ElasticFoundation,
    Fixed,
    Force,
    FoundationDirection,
    Gravity,
    Load,
    Pressure,
    RemoteForce,
    StaticStress,
    Support,
    Symmetry,
    Traction,
)

SupportMessage = study_pb2.Support
LoadMessage = study_pb2.Load

_COUPLINGS: EnumWords[Coupling, study_pb2.Coupling.ValueType] = EnumWords(
    "coupling",
    {"distributing": study_pb2.COUPLING_DISTRIBUTING, "rigid": study_pb2.COUPLING_RIGID},
    "distributing",
)
_FOUNDATIONS: EnumWords[FoundationDirection, study_pb2.FoundationDirection.ValueType] = EnumWords(
    "direction of an elastic foundation",
    {"normal": study_pb2.FOUNDATION_DIRECTION_NORMAL, "all": study_pb2.FOUNDATION_DIRECTION_ALL},
    "normal",
)


def static_stress_to_proto(study: StaticStress) -> study_pb2.StaticStress:
    """The study as a message."""
    return study_pb2.StaticStress(
        material=material_to_proto(study.material),
        supports=[support_to_proto(support) for support in study.supports],
        load_cases=[
            study_pb2.LoadCase(name=name, loads=[load_to_proto(load) for load in loads])
            for name, loads in study.cases.items()
        ],
        bodies=bodies_to_proto(study.bodies),
    )


def static_stress_from_proto(message: study_pb2.StaticStress) -> StaticStress:
    """Inverse of `static_stress_to_proto`."""
    return StaticStress(
        material_from_proto(message.material),
        supports=[support_from_proto(support) for support in message.supports],
        load_cases=cases_from_proto(message.load_cases, load_from_proto),
        bodies=bodies_from_proto(message.bodies),
    )


def support_to_proto(support: Support) -> SupportMessage:
    """The support as a message."""
    on = selector_to_proto(support.on)
    match support:
        case Fixed():
            return SupportMessage(fixed=SupportMessage.Fixed(on=on))
        case Symmetry():
            return SupportMessage(symmetry=SupportMessage.Symmetry(on=on))
        case Displacement():
            displacement = SupportMessage.Displacement(on=on, x=support.x, y=support.y, z=support.z)
            return SupportMessage(displacement=displacement)
        case ElasticFoundation():
            foundation = SupportMessage.ElasticFoundation(
                on=on,
                stiffness=support.stiffness,
                direction=_FOUNDATIONS.value(support.direction),
            )
            return SupportMessage(elastic_foundation=foundation)


def support_from_proto(message: SupportMessage) -> Support:
    """Inverse of `support_to_proto`."""
    match message.WhichOneof("kind"):
        case "fixed":
            return Fixed(selector_from_proto(message.fixed.on))
        case "symmetry":
            return Symmetry(selector_from_proto(message.symmetry.on))
        case "displacement":
            given = message.displacement
            x, y, z = (optional_number(given, axis) for axis in "xyz")
            return Displacement(selector_from_proto(given.on), x, y, z)
        case "elastic_foundation":
            foundation = message.elastic_foundation
            direction = _FOUNDATIONS.word(foundation.direction)
            return ElasticFoundation(selector_from_proto(foundation.on), foundation.stiffness, direction)
        case _:
            raise StudyError("A support is empty, or of a kind that this version does not know.")


def load_to_proto(load: Load) -> LoadMessage:
    """The load as a message."""
    match load:
        case Force(vector, on):
            force = LoadMessage.Force(vector=vector_to_proto(vector), on=selector_to_proto(on))
            return LoadMessage(force=force)
        case Traction(vector, on):
            traction = LoadMessage.Traction(vector=vector_to_proto(vector), on=selector_to_proto(on))
            return LoadMessage(traction=traction)
        case Pressure(value, on):
            return LoadMessage(pressure=LoadMessage.Pressure(value=value, on=selector_to_proto(on)))
        case Gravity(vector):
            return LoadMessage(gravity=LoadMessage.Gravity(vector=vector_to_proto(vector)))
        case Centrifugal(axis, point, rate):
            centrifugal = LoadMessage.Centrifugal(
                axis=vector_to_proto(axis), point=vector_to_proto(point), rate=rate
            )
            return LoadMessage(centrifugal=centrifugal)
        case RemoteForce(force_vector, at, on, moment, coupling):
            remote = LoadMessage.RemoteForce(
                force=vector_to_proto(force_vector),
                at=vector_to_proto(at),
                on=selector_to_proto(on),
                moment=vector_to_proto(moment),
                coupling=_COUPLINGS.value(coupling),
            )
            return LoadMessage(remote_force=remote)


def load_from_proto(message: LoadMessage) -> Load:
    """Inverse of `load_to_proto`."""
    match message.WhichOneof("kind"):
        case "force":
            return Force(vector_from_proto(message.force.vector), selector_from_proto(message.force.on))
        case "traction":
            return Traction(
                vector_from_proto(message.traction.vector), selector_from_proto(message.traction.on)
            )
        case "pressure":
            return Pressure(message.pressure.value, selector_from_proto(message.pressure.on))
        case "gravity":
            return Gravity(vector_from_proto(message.gravity.vector))
        case "centrifugal":
            centrifugal = message.centrifugal
            axis, point = vector_from_proto(centrifugal.axis), vector_from_proto(centrifugal.point)
            return Centrifugal(axis, point, centrifugal.rate)
        case "remote_force":
            remote = message.remote_force
            coupling = _COUPLINGS.word(remote.coupling)
            return RemoteForce(
                vector_from_proto(remote.force),
                vector_from_proto(remote.at),
                selector_from_proto(remote.on),
                moment=vector_from_proto(remote.moment),
                coupling=coupling,
            )
        case _:
            raise StudyError("A load is empty, or of a kind that this version does not know.")
