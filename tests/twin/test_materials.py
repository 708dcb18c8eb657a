"""The library holds physics: every value lies where values of its kind lie, and says where it comes from."""

from __future__ import annotations

import math
import re

import pytest

from protos.twin.v1 import material_pb2
from twin import codec, materials
from twin.codec import refusal
from twin.errors import MaterialError, NotFound, UnitError
from twin.materials import Material

RANGES = {
    "youngs_modulus": (1e9, 450e9),
    "poissons_ratio": (0.1, 0.45),
    "density": (900, 20000),
    "yield_strength": (20e6, 2.5e9),
    "thermal_conductivity": (0.1, 430),
    "specific_heat": (120, 2500),
    "thermal_expansion": (0.5e-6, 200e-6),
}


def test_there_are_enough() -> None:
    assert len(materials.names()) >= 25


@pytest.mark.parametrize("name", materials.names())
def test_values_are_plausible_and_have_a_source(name: str) -> None:
    material = materials.material(name)
    assert material.name == name
    assert material.source
    assert re.search(r"[A-Z]{2}|\d", material.source), (
        "a handbook, standard or datasheet has a name or number"
    )
    for field, (low, high) in RANGES.items():
        value = getattr(material, field)
        assert value is None or low <= value <= high, field


@pytest.mark.parametrize("name", materials.names())
def test_metals_obey_dulong_petit_and_sound_speed_is_physical(name: str) -> None:
    material = materials.material(name)
    assert 1000 < math.sqrt(material.youngs_modulus / material.density) < 12000
    if material.specific_heat is not None:
        # Volumetric heat capacities of all solids lie close together.
        assert 1.2e6 < material.specific_heat * material.density < 4.5e6


def test_metals_conduct_like_metals() -> None:
    # Wiedemann-Franz aside: copper conducts best, titanium worst of the metals here.
    conductivity = {n: materials.material(n).thermal_conductivity or 0.0 for n in materials.names()}
    assert max(conductivity, key=lambda n: conductivity[n]) == "Copper C11000"


@pytest.mark.parametrize("alias", ["ti-6al-4v", "TI6AL4V", "Ti 6Al 4V", "tc4", "3.7165", "Titanium Grade 5"])
def test_spelling_is_free(alias: str) -> None:
    assert materials.material(alias).name == "Ti-6Al-4V"


def test_no_word_means_two_materials() -> None:
    words: dict[str, str] = {}
    for name in materials.names():
        for word in (name, *materials.aliases(name)):
            key = re.sub(r"[\s_-]+", "", word.casefold())
            assert words.setdefault(key, name) == name, word


def test_near_names_are_suggested() -> None:
    with pytest.raises(MaterialError, match="Did you mean 'Inconel 718'"):
        materials.material("Inconell 718")
    with pytest.raises(MaterialError, match="It has Ti-6Al-4V"):
        materials.material("unobtainium")


def test_resource_names() -> None:
    for name in materials.names():
        identifier = materials.identifier(name)
        assert materials.by_identifier(identifier).name == name
        assert refusal(material_pb2.GetMaterialRequest(name=f"materials/{identifier}")) is None
        assert refusal(codec.library_entry_to_proto(name)) is None
    with pytest.raises(NotFound, match="materials/inconel-718"):
        materials.by_identifier("inconel-71")


def test_units_are_read() -> None:
    steel = Material("210 GPa", 0.3, "7.85 g/cm^3", yield_strength="355 MPa", thermal_expansion="12e-6 1/K")
    assert steel.density == pytest.approx(7850)
    assert (steel.youngs_modulus, steel.yield_strength) == (210e9, 355e6)
    assert steel.thermal_expansion == 12e-6


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((0, 0.3, 7850), "youngs_modulus"),
        ((-210e9, 0.3, 7850), "youngs_modulus"),
        ((210e9, 0.5, 7850), "0.49"),
        ((210e9, 0.51, 7850), "between -1 and 0.5"),
        ((210e9, -1, 7850), "between -1 and 0.5"),
        ((210e9, 0.3, 0), "density"),
        ((210e9, 0.3, 7850, 0), "yield_strength"),
    ],
)
def test_impossible_materials(values: tuple[float, ...], words: str) -> None:
    with pytest.raises(MaterialError, match=words):
        Material(*values)


def test_wrong_units() -> None:
    with pytest.raises(UnitError, match="youngs_modulus of material 'mine'"):
        Material("210 mm", 0.3, 7850, name="mine")


def test_materials_are_frozen() -> None:
    with pytest.raises(AttributeError):
        materials.material("S235").density = 0  # type: ignore[misc]
    with pytest.raises(TypeError):
        materials.library()["S235"] = Material(1, 0, 1)  # type: ignore[index]
