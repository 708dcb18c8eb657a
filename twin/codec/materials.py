"""Materials."""

from __future__ import annotations

from protos.twin.v1 import material_pb2
from twin import materials
from twin.codec.presence import optional_number
from twin.materials import Material


def material_to_proto(material: Material) -> material_pb2.Material:
    """The numbers, with the resource name where they are those of the library."""
    name = material.name or ""
    in_library = materials.library().get(name) == material
    return material_pb2.Material(
        name=f"materials/{materials.identifier(name)}" if in_library else "",
        display_name=name,
        youngs_modulus=material.youngs_modulus,
        poissons_ratio=material.poissons_ratio,
        density=material.density,
        yield_strength=material.yield_strength,
        thermal_conductivity=material.thermal_conductivity,
        specific_heat=material.specific_heat,
        thermal_expansion=material.thermal_expansion,
        source=material.source or "",
    )


def material_from_proto(message: material_pb2.Material) -> Material:
    """Inverse of `material_to_proto`. Raises MaterialError for what no material has."""
    return Material(
        message.youngs_modulus,
        message.poissons_ratio,
        message.density,
        yield_strength=optional_number(message, "yield_strength"),
        thermal_conductivity=optional_number(message, "thermal_conductivity"),
        specific_heat=optional_number(message, "specific_heat"),
        thermal_expansion=optional_number(message, "thermal_expansion"),
        name=message.display_name or None,
        source=message.source or None,
    )


def library_entry_to_proto(name: str) -> material_pb2.Material:
    """The material of the library with its aliases, for MaterialService."""
    message = material_to_proto(materials.library()[name])
    message.aliases.extend(materials.aliases(name))
    return message
