"""Opaque tokens: where a page or a watch goes on. They hold no secret and are checked when they come back."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Final

from twin.errors import InvalidInput

_PAGE: Final = "page"
_RESUME: Final = "resume"
_PLACE: Final = "place"


def page_token(created: float, identifier: str) -> str:
    """The page after the resource created then [s since the epoch]."""
    return _encode([_PAGE, created, identifier])


def read_page_token(token: str) -> tuple[float, str] | None:
    """Creation time and id of the last resource seen, None on the first page."""
    if not token:
        return None
    match _decode(token):
        case [kind, float() | int() as created, str() as identifier] if kind == _PAGE:
            return float(created), identifier
    raise _refusal("page_token", token, "take next_page_token of the page before")


def resume_token(run: str, sequence: int) -> str:
    return _encode([_RESUME, run, sequence])


def read_resume_token(token: str, run: str) -> int:
    """The sequence of the last event seen of `run`, 0 where there was none."""
    if not token:
        return 0
    match _decode(token):
        case [kind, str() as named, int() as sequence] if kind == _RESUME and named == run and sequence >= 0:
            return sequence
    raise _refusal("resume_token", token, f"take it from an event of runs/{run}, or leave it empty")


def place_token(resource: str, place: int) -> str:
    """What comes after a place in a resource's own order."""
    return _encode([_PLACE, resource, place])


def read_place_token(token: str, resource: str, first: int) -> int:
    """The last place seen of `resource`, `first` where there was none."""
    if not token:
        return first
    match _decode(token):
        case [kind, str() as named, int() as place] if kind == _PLACE and named == resource and place >= 0:
            return place
    raise _refusal("the token", token, f"take it from an answer about {resource}, or leave it empty")


def _encode(values: list[object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode()


def _decode(token: str) -> object:
    try:
        return json.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError):
        return None


def _refusal(field: str, token: str, remedy: str) -> InvalidInput:
    return InvalidInput(f"{field} {token!r} is not one of ours: {remedy}", facts={"field": field})
