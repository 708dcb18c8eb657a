"""Optional fields."""

from __future__ import annotations

from google.protobuf.message import Message


def optional_number(message: Message, field: str) -> float | None:
    """The value of an `optional double`, None where it is absent."""
    return float(getattr(message, field)) if message.HasField(field) else None
