"""Selectors."""

from __future__ import annotations

from protos.twin.v1 import selector_pb2
from twin.codec.vectors import vector_from_proto, vector_to_proto
from twin.errors import SelectionError
from twin.select import (
    MAX_DEPTH,
    All,
    And,
    Box,
    Cylinder,
    Facing,
    Group,
    Not,
    Or,
    Patch,
    Plane,
    Selector,
    Sphere,
)

Message = selector_pb2.Selector


def selector_to_proto(selector: Selector) -> Message:
    """The selector as a message."""
    match selector:
        case Plane(point, normal, tolerance):
            plane = Message.Plane(
                point=vector_to_proto(point), normal=vector_to_proto(normal), tolerance=tolerance
            )
            return Message(plane=plane)
        case Box(low, high):
            return Message(box=Message.Box(min=vector_to_proto(low), max=vector_to_proto(high)))
        case Sphere(center, radius):
            return Message(sphere=Message.Sphere(center=vector_to_proto(center), radius=radius))
        case Cylinder(point, axis, radius, length):
            cylinder = Message.Cylinder(
                point=vector_to_proto(point), axis=vector_to_proto(axis), radius=radius, length=length
            )
            return Message(cylinder=cylinder)
        case Facing(direction, max_angle):
            return Message(facing=Message.Facing(direction=vector_to_proto(direction), max_angle=max_angle))
        case Patch(ids):
            return Message(patches=Message.Patches(ids=ids))
        case Group(name):
            return Message(group=Message.Group(name=name))
        case All():
            return Message(whole_surface=Message.WholeSurface())
        case And(selectors):
            return Message(all_of=Message.Operands(selectors=[selector_to_proto(s) for s in selectors]))
        case Or(selectors):
            return Message(any_of=Message.Operands(selectors=[selector_to_proto(s) for s in selectors]))
        case Not(inner):
            return Message(complement=selector_to_proto(inner))


def selector_from_proto(message: Message, depth: int = 1) -> Selector:
    """Inverse of `selector_to_proto`. Raises SelectionError for what the domain refuses."""
    if depth > MAX_DEPTH:
        raise SelectionError(f"Selectors are nested more than {MAX_DEPTH} deep. Combine them in fewer steps.")
    match message.WhichOneof("kind"):
        case "plane":
            plane = message.plane
            tolerance = plane.tolerance if plane.HasField("tolerance") else None
            return Plane(vector_from_proto(plane.point), vector_from_proto(plane.normal), tolerance)
        case "box":
            return Box(vector_from_proto(message.box.min), vector_from_proto(message.box.max))
        case "sphere":
            return Sphere(vector_from_proto(message.sphere.center), message.sphere.radius)
        case "cylinder":
            cylinder = message.cylinder
            length = cylinder.length if cylinder.HasField("length") else None
            point, axis = vector_from_proto(cylinder.point), vector_from_proto(cylinder.axis)
            return Cylinder(point, axis, cylinder.radius, length)
        case "facing":
            return Facing(vector_from_proto(message.facing.direction), message.facing.max_angle)
        case "patches":
            return Patch(tuple(message.patches.ids))
        case "group":
            return Group(message.group.name)
        case "whole_surface":
            return All()
        case "all_of":
            return And(tuple(selector_from_proto(s, depth + 1) for s in message.all_of.selectors))
        case "any_of":
            return Or(tuple(selector_from_proto(s, depth + 1) for s in message.any_of.selectors))
        case "complement":
            return Not(selector_from_proto(message.complement, depth + 1))
        case _:
            raise SelectionError(
                "A selector is empty, or of a kind that this version does not know. Update the service, or "
                "use plane, box, sphere, cylinder, facing, patches, group or whole_surface."
            )
