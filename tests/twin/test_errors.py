"""Errors cross processes, the database and the wire without losing their kind, sentence or facts."""

from __future__ import annotations

import json
import pickle

import grpc
import pytest

from twin import codec, errors
from twin.errors import ERRORS, InvalidInput, TwinError, Unavailable, from_record, to_record


def _all_subclasses(kind: type[TwinError]) -> set[type[TwinError]]:
    return {kind}.union(
        *(_all_subclasses(sub) for sub in kind.__subclasses__() if sub.__module__ == errors.__name__)
    )


def test_the_table_is_complete_and_reasons_are_unique() -> None:
    assert set(ERRORS) == _all_subclasses(TwinError)
    assert len({error.reason for error in ERRORS}) == len(ERRORS)


def test_statuses_are_grpc_codes() -> None:
    assert {error.status for error in ERRORS} <= {code.name for code in grpc.StatusCode}


@pytest.mark.parametrize("kind", ERRORS)
def test_round_trips(kind: type[TwinError]) -> None:
    error = kind("The part is 30 m long.", {"length": 30.0})
    copies = (
        from_record(json.loads(json.dumps(to_record(error)))),
        pickle.loads(pickle.dumps(error)),  # noqa: S301  our own bytes
        codec.error_from_status(codec.status_from_error(error)),
    )
    for copy in copies:
        assert (type(copy), copy.message, copy.facts) == (kind, error.message, {"length": "30.0"})


def test_an_unknown_reason_keeps_its_words() -> None:
    error = from_record({"reason": "MELTED", "message": "The device melted.", "facts": {"at": "1800"}})
    assert type(error) is TwinError
    assert error.facts == {"at": "1800", "reason": "MELTED"}


def test_a_status_of_someone_else_becomes_the_general_class_of_its_code() -> None:
    status = codec.status_from_error(Unavailable("Try again."))
    status.ClearField("details")
    assert type(codec.error_from_status(status)) is Unavailable
    status.code = 3
    assert type(codec.error_from_status(status)) is InvalidInput
    assert type(codec.error_from_code("DEADLINE_EXCEEDED", "Too late.")) is errors.DeadlineExceeded


def test_fields_at_fault_travel_along() -> None:
    fields = (("run.study", "value is required"),)
    status = codec.status_from_error(InvalidInput("No study."), fields)
    assert codec.field_violations(status) == fields


def test_what_would_not_fit_into_trailers_is_cut() -> None:
    error = InvalidInput("word " * 5000, {f"fact{i}": "x" * 5000 for i in range(100)})
    status = codec.status_from_error(error, [(f"run.labels[{i}]" * 50, "x" * 5000) for i in range(100)])
    assert status.ByteSize() < 7000
    assert codec.error_from_status(status).message.endswith("...")


def test_what_is_not_text_does_not_break_an_error() -> None:
    name = b"bracket\xff.stl".decode("utf-8", "surrogateescape")
    error = codec.error_from_status(
        codec.status_from_error(InvalidInput(f"{name} can't be read.", {"file": name}))
    )
    assert error.message == "bracket?.stl can't be read."
