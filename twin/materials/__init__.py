"""Materials: what parts are made of, a library of common ones with the source of each value, and fluids."""

from twin.materials.fluid import FLUIDS, Fluid, fluid
from twin.materials.library import aliases, by_identifier, identifier, library, material, names
from twin.materials.material import UNITS, Material

__all__ = [
    "FLUIDS",
    "UNITS",
    "Fluid",
    "Material",
    "aliases",
    "by_identifier",
    "fluid",
    "identifier",
    "library",
    "material",
    "names",
]
