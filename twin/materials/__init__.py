"""Materials: what parts are made of, and a library of common ones with the source of each value."""

from twin.materials.library import aliases, by_identifier, identifier, library, material, names
from twin.materials.material import UNITS, Material

__all__ = ["UNITS", "Material", "aliases", "by_identifier", "identifier", "library", "material", "names"]
