"""Errors: a TwinError as google.rpc.Status with ErrorInfo of domain "twin", and back."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from twin.errors import BY_REASON, BY_STATUS, Internal, TwinError

DOMAIN = "twin"


def status_from_error(error: TwinError, fields: Iterable[tuple[str, str]] = ()) -> status_pb2.Status:
    """The error as a Status. fields: path and description of each field at fault, for a BadRequest."""
    details = [
        error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.facts),
    ]
    status = status_pb2.Status(code=code_pb2.Code.Value(error.status), message=error.message)
    status.details.extend(_packed(detail) for detail in details)
    violations = [
        error_details_pb2.BadRequest.FieldViolation(field=path, description=description)
        for path, description in fields
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


def _packed(detail: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed
