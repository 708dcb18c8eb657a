"""Every error that users see: what is wrong, where, and what to do.

    TwinError
    ├── InvalidInput            INVALID_ARGUMENT
    │   ├── GeometryError       a file that can't be read or used
    │   ├── UnitError           a unit that is unknown or of another dimension
    │   ├── MaterialError       a material that is unknown or impossible
    │   └── StudyError          a study that can't be answered
    │       ├── SelectionError      a selector that selects nothing
    │       └── UnconstrainedError  supports that leave a rigid motion free
    ├── NotFound                NOT_FOUND
    ├── AlreadyExists           ALREADY_EXISTS
    ├── FailedPrecondition      FAILED_PRECONDITION
    │   └── MeshingFailed       no mesher could fill the part
    ├── ResourceExhausted       RESOURCE_EXHAUSTED
    ├── Cancelled               CANCELLED
    ├── Unavailable             UNAVAILABLE
    ├── DeadlineExceeded        DEADLINE_EXCEEDED
    └── Internal                INTERNAL
        └── SolveFailed         the solver gave up

Each class owns the gRPC status it travels as and its reason (google.rpc.ErrorInfo of domain "twin"); `facts`
are what a program may want to know without reading the sentence. `to_record` and `from_record` carry an error
through the database and between processes, `twin.codec` over the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class TwinError(Exception):
    """Root of all errors.

    message: a sentence or two for an engineer. facts: names and values behind the sentence, as strings.
    """

    status: ClassVar[str] = "UNKNOWN"
    reason: ClassVar[str] = "UNKNOWN"

    def __init__(self, message: str, facts: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.facts: dict[str, str] = {key: str(value) for key, value in (facts or {}).items()}

    def __reduce__(self) -> tuple[type[TwinError], tuple[str, dict[str, str]]]:
        return type(self), (self.message, self.facts)


class InvalidInput(TwinError):
    """What was asked can't work, whatever the state of the service."""

    status = "INVALID_ARGUMENT"
    reason = "INVALID_INPUT"


class GeometryError(InvalidInput):
    """A geometry file that can't be read, or a part that can't be used."""

    reason = "GEOMETRY"


class UnitError(InvalidInput):
    """A unit that is unknown or of the wrong dimension."""

    reason = "UNIT"


class MaterialError(InvalidInput):
    """A material that is not in the library, or whose numbers are impossible."""

    reason = "MATERIAL"


class StudyError(InvalidInput):
    """A study that has no answer."""

    reason = "STUDY"


class SelectionError(StudyError):
    """A selector that is not well formed or selects nothing."""

    reason = "SELECTION"


class UnconstrainedError(StudyError):
    """Supports that leave the part free to move as a rigid body."""

    reason = "UNCONSTRAINED"


class NotFound(TwinError):
    """No such resource."""

    status = "NOT_FOUND"
    reason = "NOT_FOUND"


class AlreadyExists(TwinError):
    """The resource exists with other content."""

    status = "ALREADY_EXISTS"
    reason = "ALREADY_EXISTS"


class FailedPrecondition(TwinError):
    """Not in the present state of the resource."""

    status = "FAILED_PRECONDITION"
    reason = "FAILED_PRECONDITION"


class MeshingFailed(FailedPrecondition):
    """No mesher could fill the part with valid elements."""

    reason = "MESHING_FAILED"


class ResourceExhausted(TwinError):
    """A quota or the memory of the device is spent."""

    status = "RESOURCE_EXHAUSTED"
    reason = "RESOURCE_EXHAUSTED"


class Cancelled(TwinError):
    """Someone asked the run to stop."""

    status = "CANCELLED"
    reason = "CANCELLED"


class Unavailable(TwinError):
    """The service can't be reached now; trying again may help."""

    status = "UNAVAILABLE"
    reason = "UNAVAILABLE"


class DeadlineExceeded(TwinError):
    """Not done in the time allowed."""

    status = "DEADLINE_EXCEEDED"
    reason = "DEADLINE_EXCEEDED"


class Internal(TwinError):
    """A fault of ours."""

    status = "INTERNAL"
    reason = "INTERNAL"


class SolveFailed(Internal):
    """The solver did not converge or met numbers that are not finite."""

    reason = "SOLVE_FAILED"


ERRORS: tuple[type[TwinError], ...] = (
    TwinError,
    InvalidInput,
    GeometryError,
    UnitError,
    MaterialError,
    StudyError,
    SelectionError,
    UnconstrainedError,
    NotFound,
    AlreadyExists,
    FailedPrecondition,
    MeshingFailed,
    ResourceExhausted,
    Cancelled,
    Unavailable,
    DeadlineExceeded,
    Internal,
    SolveFailed,
)

BY_REASON: Mapping[str, type[TwinError]] = {error.reason: error for error in ERRORS}

# The general class of each status: what an error without a known reason becomes.
BY_STATUS: Mapping[str, type[TwinError]] = {error.status: error for error in reversed(ERRORS)}


def to_record(error: TwinError) -> dict[str, object]:
    """JSON-able form: reason, message and facts."""
    return {"reason": error.reason, "message": error.message, "facts": dict(error.facts)}


def from_record(record: Mapping[str, object]) -> TwinError:
    """Inverse of `to_record`. An unknown reason (of a newer version) becomes a TwinError that keeps it."""
    reason, facts = str(record.get("reason", "")), record.get("facts")
    known = {str(key): str(value) for key, value in facts.items()} if isinstance(facts, Mapping) else {}
    if reason not in BY_REASON:
        known.setdefault("reason", reason)
    return BY_REASON.get(reason, TwinError)(str(record.get("message", "")), known)
