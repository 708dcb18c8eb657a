"""Studies of external flow."""

from __future__ import annotations

from protos.twin.v1 import study_pb2
from twin.codec.fluids import fluid_from_proto, fluid_to_proto
from twin.codec.presence import optional_number
from twin.codec.selectors import selector_from_proto, selector_to_proto
from twin.codec.vectors import vector_from_proto, vector_to_proto
from twin.studies import ExternalFlow, Ground, Rotating


def external_flow_to_proto(study: ExternalFlow) -> study_pb2.ExternalFlow:
    """The study as a message."""
    ground = study.ground
    return study_pb2.ExternalFlow(
        velocity=vector_to_proto(study.velocity),
        fluid=fluid_to_proto(study.fluid),
        up=vector_to_proto(study.up),
        ground=None if ground is None else study_pb2.Ground(height=ground.height, moving=ground.moving),
        reference_area=study.reference_area,
        reference_length=study.reference_length,
        rotating=[
            study_pb2.Rotating(
                axis=vector_to_proto(each.axis),
                point=vector_to_proto(each.point),
                rate=each.rate,
                on=selector_to_proto(each.on),
            )
            for each in study.rotating
        ],
        reference_point=vector_to_proto(study.reference_point),
    )


def external_flow_from_proto(message: study_pb2.ExternalFlow) -> ExternalFlow:
    """Inverse of `external_flow_to_proto`."""
    ground = message.ground
    return ExternalFlow(
        vector_from_proto(message.velocity),
        fluid_from_proto(message.fluid),
        vector_from_proto(message.up),
        Ground(optional_number(ground, "height"), ground.moving) if message.HasField("ground") else None,
        optional_number(message, "reference_area"),
        optional_number(message, "reference_length"),
        [
            Rotating(
                vector_from_proto(each.axis),
                vector_from_proto(each.point),
                each.rate,
                selector_from_proto(each.on),
            )
            for each in message.rotating
        ],
        vector_from_proto(message.reference_point),
    )
