"""The constraints that the protos carry, enforced: one function for every message of every service."""

from __future__ import annotations

from typing import Any

import protovalidate
from google.protobuf.message import Message
from google.rpc import status_pb2

from twin.codec.errors import status_from_error
from twin.errors import InvalidInput

_SHOWN = 5


def refusal(message: Message) -> status_pb2.Status | None:
    """None for a message that meets its constraints, else INVALID_ARGUMENT with a BadRequest per field."""
    violations = protovalidate.collect_violations(message)
    if not violations:
        return None
    fields = [(_path(violation.proto), violation.proto.message) for violation in violations]
    return status_from_error(InvalidInput(_sentence(fields), {"field": fields[0][0]}), fields)


def _sentence(fields: list[tuple[str, str]]) -> str:
    shown = [f"{path}: {description}" if path else description for path, description in fields[:_SHOWN]]
    more = f"; and {len(fields) - _SHOWN} more" if len(fields) > _SHOWN else ""
    return "The request is not valid. " + "; ".join(shown) + more + "."


def _path(violation: Any) -> str:
    # protovalidate's own message type of a runtime without type stubs: run.labels["key"], run.loads[0].force
    path = ""
    for element in violation.field.elements if violation.field is not None else ():
        path += f".{element.field_name}" if path else element.field_name
        if element.subscript is not None:
            key = element.subscript.value
            path += f'["{key}"]' if isinstance(key, str) else f"[{key}]"
    return path
