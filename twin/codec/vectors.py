"""Three numbers."""

from __future__ import annotations

from collections.abc import Sequence

from protos.twin.v1 import selector_pb2

Triple = tuple[float, float, float]


def vector_to_proto(value: Sequence[float]) -> selector_pb2.Vector3:
    """x, y, z as a message."""
    x, y, z = value
    return selector_pb2.Vector3(x=x, y=y, z=z)


def vector_from_proto(message: selector_pb2.Vector3) -> Triple:
    """Inverse of `vector_to_proto`; an absent message is zero."""
    return message.x, message.y, message.z
