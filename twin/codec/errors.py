"""Errors: a TwinError as google.rpc.Status with ErrorInfo of domain "twin", and back."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from twin.errors import BY_REASON, BY_STATUS, Internal, TwinError

DOMAIN = "twin"

# A Status travels in the trailers of a call, and 8 KiB is all that gRPC allows them.
_MESSAGE, _FACTS, _FACT, _FIELDS, _FIELD = 1500, 12, 150, 8, 150


def status_from_error(error: TwinError, fields: Iterable[tuple[str, str]] = ()) -> status_pb2.Status:
    """The error as a Status, long texts cut. fields: path and description of each one at fault."""
    facts = {_cut(key, _FACT): _cut(value, _FACT) for key, value in list(error.facts.items())[:_FACTS]}
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=facts)
    status = status_pb2.Status(code=code_pb2.Code.Value(error.status), message=_cut(error.message, _MESSAGE))
    status.details.append(_packed(info))
    violations = [
        error_details_pb2.BadRequest.FieldViolation(
            field=_cut(path, _FIELD), description=_cut(description, _FIELD)
        )
        for path, description in list(fields)[:_FIELDS]
    ]
    if violations:
        status.details.append(_packed(error_details_pb2.BadRequest(field_violations=violations)))
    return status


def error_from_status(status: status_pb2.Status) -> TwinError:
    """Inverse of `status_from_error`; without our ErrorInfo: the general class of the code."""
    info = error_details_pb2.ErrorInfo()
    for detail in status.details:
        if detail.Is(info.DESCRIPTOR) and detail.Unpack(info) and info.domain == DOMAIN:
            break
        info.Clear()
    code = code_pb2.Code.Name(status.code) if status.code in code_pb2.Code.values() else "UNKNOWN"
    general = BY_STATUS.get(code, TwinError)
    facts = dict(info.metadata)
    if info.reason and info.reason not in BY_REASON:
        facts.setdefault("reason", info.reason)
    kind = BY_REASON.get(info.reason, general)
    return kind(status.message or f"The service answered {code} without a reason.", facts)


def field_violations(status: status_pb2.Status) -> tuple[tuple[str, str], ...]:
    """Path and description of every field at fault."""
    request = error_details_pb2.BadRequest()
    return tuple(
        (violation.field, violation.description)
        for detail in status.details
        if detail.Is(request.DESCRIPTOR) and detail.Unpack(request)
        for violation in request.field_violations
    )


def error_from_code(code: str, message: str) -> TwinError:
    """The error of a bare gRPC code name, such as "UNAVAILABLE", where no Status came along."""
    return BY_STATUS.get(code, Internal)(message)


def _cut(text: str, length: int) -> str:
    # What is not text, as in the names of some files, has no place in a message.
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= length else text[: length - 3] + "..."


def _packed(detail: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed
