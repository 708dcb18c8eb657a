"""What flows."""

from __future__ import annotations

from protos.twin.v1 import study_pb2
from twin.codec.presence import optional_number
from twin.materials import Fluid


def fluid_to_proto(fluid: Fluid) -> study_pb2.Fluid:
    """The fluid as a message."""
    return study_pb2.Fluid(
        density=fluid.density,
        viscosity=fluid.viscosity,
        speed_of_sound=fluid.speed_of_sound,
        name=fluid.name or "",
    )


def fluid_from_proto(message: study_pb2.Fluid) -> Fluid:
    """Inverse of `fluid_to_proto`."""
    return Fluid(
        message.density, message.viscosity, optional_number(message, "speed_of_sound"), message.name or None
    )
