"""The materials of `library.toml`, by name."""

from __future__ import annotations

import difflib
import functools
import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from twin.errors import MaterialError, NotFound
from twin.materials.material import Material


@functools.cache
def _entries() -> tuple[Mapping[str, Any], ...]:
    text = files("twin.materials").joinpath("library.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["material"])


@functools.cache
def library() -> Mapping[str, Material]:
    """All materials by name, in the order of the file."""
    return MappingProxyType(
        {
            entry["name"]: Material(**{key: value for key, value in entry.items() if key != "aliases"})
            for entry in _entries()
        }
    )


@functools.cache
def _index() -> Mapping[str, str]:
    # Spelling is free: case, blanks, dashes and underscores don't tell two materials apart.
    return {
        _key(word): entry["name"]
        for entry in _entries()
        for word in (entry["name"], identifier(entry["name"]), *entry["aliases"])
    }


def _key(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name.casefold())


def names() -> tuple[str, ...]:
    """Names of the library."""
    return tuple(library())


def aliases(name: str) -> tuple[str, ...]:
    """Other names that the material of this name answers to."""
    return tuple(next(entry["aliases"] for entry in _entries() if entry["name"] == name))


def identifier(name: str) -> str:
    """The name as it stands in a resource name: "Ti-6Al-4V" -> "ti-6al-4v"."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")


def material(name: str) -> Material:
    """The material of that name or alias, case and punctuation aside.

    Raises MaterialError, which suggests near names.
    """
    found = _index().get(_key(name))
    if found is None:
        near = _near(name)
        hint = (
            f"Did you mean {' or '.join(repr(n) for n in near)}?" if near else f"It has {', '.join(names())}."
        )
        raise MaterialError(
            f"There is no material '{name}' in the library. {hint} "
            f"Or give the numbers: twin.Material(youngs_modulus, poissons_ratio, density).",
            {"material": name, "near": ", ".join(near)},
        )
    return library()[found]


def by_identifier(identifier_: str) -> Material:
    """The material whose resource name is "materials/{identifier_}". Raises NotFound."""
    for name, value in library().items():
        if identifier(name) == identifier_:
            return value
    near = _near(identifier_)
    hint = f" Near: {', '.join('materials/' + identifier(n) for n in near)}." if near else ""
    raise NotFound(f"There is no material 'materials/{identifier_}'.{hint}", {"material": identifier_})


def _near(name: str) -> tuple[str, ...]:
    keys = difflib.get_close_matches(_key(name), _index(), n=6, cutoff=0.6)
    return tuple(dict.fromkeys(_index()[key] for key in keys))[:3]
