"""Deformations of parts."""

from __future__ import annotations

from collections.abc import Sequence

from protos.twin.v1 import shape_pb2
from twin.codec.vectors import vector_from_proto, vector_to_proto
from twin.studies.shape import FreeForm


def shape_to_proto(free_forms: Sequence[FreeForm]) -> shape_pb2.Shape:
    """The deformations as a message."""
    return shape_pb2.Shape(
        free_forms=[
            shape_pb2.FreeForm(
                min=vector_to_proto(own.min),
                max=vector_to_proto(own.max),
                nx=own.control[0],
                ny=own.control[1],
                nz=own.control[2],
                moves=[
                    shape_pb2.FreeForm.Move(i=i, j=j, k=k, by=vector_to_proto(by))
                    for (i, j, k), by in own.moves
                ],
            )
            for own in free_forms
        ]
    )


def shape_from_proto(message: shape_pb2.Shape) -> tuple[FreeForm, ...]:
    """Inverse of `shape_to_proto`; moves of one control point are added up. Raises StudyError."""
    found = []
    for own in message.free_forms:
        moves: dict[tuple[int, int, int], tuple[float, float, float]] = {}
        for move in own.moves:
            place = (move.i, move.j, move.k)
            x, y, z = moves.get(place, (0.0, 0.0, 0.0))
            dx, dy, dz = vector_from_proto(move.by)
            moves[place] = (x + dx, y + dy, z + dz)
        low, high = vector_from_proto(own.min), vector_from_proto(own.max)
        found.append(FreeForm(low, high, (own.nx, own.ny, own.nz), moves))
    return tuple(found)


def parse_shape(data: bytes) -> tuple[FreeForm, ...]:
    """The deformations from their serialised message."""
    return shape_from_proto(shape_pb2.Shape.FromString(data))
