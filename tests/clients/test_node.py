"""A client in Node, made from the protos alone, gets the answer that the Python SDK gets."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cable import Cable

import twin

ROOT = Path(__file__).parents[2]
CHUNK = 1 << 20


@dataclass(frozen=True)
class Transcript:
    """The lines that the client printed, by kind.

    cut: the event after which its connection was cut; connections: how many it made in all.
    """

    lines: list[dict[str, Any]]
    cut: int
    connections: int

    def __getitem__(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["kind"] == kind]


@pytest.fixture(scope="module")
def transcript(node: Path, server: str, bar: Path) -> Transcript:
    """Of the client on a connection that breaks once, while the run goes on."""
    lines, cut = [], 0
    with Cable(server) as cable:
        command = ["node", "cantilever.mjs", str(ROOT), cable.address, str(bar)]
        with subprocess.Popen(
            command, cwd=node, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            for line in process.stdout:
                lines.append(json.loads(line))
                if not cut and lines[-1].get("phase") == "mesh":
                    cut = lines[-1]["sequence"]
                    cable.cut()
            complaint = process.stderr.read()
        assert process.returncode == 0, complaint
        return Transcript(lines, cut, cable.connections)


@pytest.fixture(scope="module")
def python(server: str) -> Iterator[twin.Client]:
    with twin.connect(server) as client:
        yield client


def test_upload_in_chunks_and_only_once(transcript, python, bar):
    (part,) = transcript["part"]
    assert part["chunks_sent"] == -(-bar.stat().st_size // (64 << 10)) > 1
    assert part["chunks_sent_again"] == 0
    assert part["same"]
    report = part["report"]
    assert (report["triangles"], report["watertight"], report["unit"]) == (12 * 4**4, True, "mm")
    assert report["volume"] == pytest.approx(2e-5)
    assert python.part(part["name"]) == python.upload(bar)


def test_watching_survives_a_broken_connection(transcript, python):
    events = transcript["event"]
    assert 0 < transcript.cut < len(events)
    assert transcript.connections > 1
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["state"] == "RUN_STATE_SUCCEEDED"
    same = list(python.run(events[0]["run"]).watch())
    assert [update.sequence for update in same] == [event["sequence"] for event in events]
    assert {update.phase for update in same} >= {event["phase"] for event in events if "phase" in event}


def test_the_answer_is_that_of_the_python_client(transcript, python):
    (answer,) = transcript["result"]
    assert answer["same_run"]
    result = python.run(answer["run"]).result()
    (case,) = answer["cases"]
    assert case["name"] == "bending"
    for quantity in case["quantities"]:
        same = result.case("bending").quantities[quantity["name"]]
        assert quantity["values"] == np.atleast_1d(same.value).tolist()
        assert quantity["errors"] == np.atleast_1d(same.error).tolist()
        assert quantity["unit"] == (same.unit or "1")
    # Euler-Bernoulli: F l^3 / (3 E I).
    assert answer["displacement"]["longest"] == pytest.approx(
        1e3 * 0.1**3 / (3 * 200e9 * 0.02 * 0.01**3 / 12), rel=0.01
    )


def test_a_field_of_several_chunks(transcript, python):
    (answer,) = transcript["result"]
    found = answer["displacement"]
    field = python.run(answer["run"]).result().fields["displacement"]
    assert found["shape"] == list(field.values.shape)
    assert (found["data_type"], found["unit"], found["location"]) == (
        "DATA_TYPE_FLOAT64",
        "m",
        "LOCATION_NODE",
    )
    assert found["bytes"] == field.values.nbytes
    assert found["chunks"] == -(-found["bytes"] // (CHUNK // 24 * 24)) > 1
    assert found["checksum"] == "sha256:" + hashlib.sha256(field.values.astype("<f8").tobytes()).hexdigest()
    assert found["longest"] == pytest.approx(np.linalg.norm(field.values, axis=1).max(), rel=1e-14)


def test_refusals_say_which_fields(transcript):
    request, name = transcript["refused"]
    assert (request["code"], request["reason"], request["domain"]) == (
        "INVALID_ARGUMENT",
        "INVALID_INPUT",
        "twin",
    )
    case = "run.study.static_stress"
    assert {violation["field"]: violation["description"] for violation in request["fields"]} == {
        f"{case}.material.poissons_ratio": "must be greater than -1 and less than 0.5",
        f"{case}.load_cases[0].loads[0].force.on.kind": "exactly one field is required in oneof",
    }
    assert all(violation["field"] in request["message"] for violation in request["fields"])
    assert (name["code"], name["reason"]) == ("NOT_FOUND", "NOT_FOUND")
    assert "unobtainium" in name["message"]
