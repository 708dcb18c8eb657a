"""What single bodies of a part are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from twin.errors import MaterialError
from twin.materials import Material
from twin.select import Selector, check
from twin.studies import words
from twin.sweeps.parameters import Choice


@dataclass(frozen=True, slots=True, init=False)
class Body:
    """A body, or several, made of another material than the rest of the part.

    on: takes most of the surface of each, such as twin.select.group("pin") of a solid that has a name in the STEP file
    """

    on: Selector
    material: Material

    def __init__(self, on: Selector, material: Material | str | Choice) -> None:
        check(on, "Body")
        object.__setattr__(self, "on", on)
        object.__setattr__(self, "material", words.material(material))


def listed(values: Iterable[Body]) -> tuple[Body, ...]:
    """A list of bodies, or one of them."""
    return words.items(values, (Body,), "bodies", "twin.Body(on=twin.select.group('pin'), material='316L')")


def property_of_all(materials: Sequence[Material], name: str, what: str) -> tuple[float, ...]:
    """A property that each of the materials has to have. Raises MaterialError, which names the one without."""
    for material in materials:
        if getattr(material, name) is None:
            raise MaterialError(
                f"{what} needs the {name.replace('_', ' ')} of {material.name or 'the material'}: give {name} to "
                "twin.Material."
            )
    return tuple(getattr(material, name) for material in materials)
