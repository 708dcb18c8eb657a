"""Bodies of their own material, in any study."""

from __future__ import annotations

from collections.abc import Iterable

from protos.twin.v1 import study_pb2
from twin.codec.materials import material_from_proto, material_to_proto
from twin.codec.selectors import selector_from_proto, selector_to_proto
from twin.studies import Body


def bodies_to_proto(bodies: Iterable[Body]) -> list[study_pb2.Body]:
    """The bodies as messages."""
    return [
        study_pb2.Body(on=selector_to_proto(body.on), material=material_to_proto(body.material))
        for body in bodies
    ]


def bodies_from_proto(messages: Iterable[study_pb2.Body]) -> list[Body]:
    """Inverse of `bodies_to_proto`."""
    return [
        Body(selector_from_proto(message.on), material_from_proto(message.material)) for message in messages
    ]
