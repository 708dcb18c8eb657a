"""The SDK against a service that misbehaves on demand."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from sdk_fake_service import FakeService, failure, serve

import twin


def run_of(client, study, **options):
    return client.simulate(client.part("geometries/known"), study, **options)


def test_second_upload_sends_nothing(connect, cube):
    client, service = connect()
    first, second = client.upload(cube), client.upload(str(cube))
    assert first == second
    assert first.id.startswith("geometries/")
    assert service.calls.count("UploadBlob") == 1
    assert (first.report.triangles, first.report.watertight, first.report.unit) == (12, True, "mm")
    assert first.report.bounds == ((0, 0, 0), (1, 1, 1))
    assert first.patches[0].kind == "plane"
    assert first.report.repairs == ("turned 3 triangles",)


def test_large_files_go_in_chunks(connect, tmp_path):
    client, service = connect()
    path = tmp_path / "large.stl"
    path.write_bytes(bytes(range(256)) * 10_000)
    client.upload(path)
    assert list(service.blobs.values()) == [path.read_bytes()]


@pytest.mark.parametrize(("content", "words"), [(None, "there is no file"), (b"", "is empty")])
def test_files_that_cannot_be_sent(connect, tmp_path, content, words):
    client, _ = connect()
    if content is not None:
        (tmp_path / "part.stl").write_bytes(content)
    with pytest.raises(twin.GeometryError, match=words):
        client.upload(tmp_path / "part.stl")


def test_errors_of_the_server_keep_class_message_and_facts(connect, tmp_path):
    client, _ = connect()
    (tmp_path / "part.bad").write_text("x")
    with pytest.raises(twin.GeometryError, match=r"^line 3 is no facet$") as caught:
        client.upload(tmp_path / "part.bad")
    assert caught.value.facts == {"line": "3"}
    with pytest.raises(twin.NotFound, match="runs/none"):
        client.run("none")
    with pytest.raises(twin.NotFound):
        client.part("geometries/none")


def test_watch_tells_everything_once(connect, study):
    client, service = connect()
    updates = list(run_of(client, study).watch())
    phases = list(dict.fromkeys(u.phase for u in updates if u.phase))
    assert phases == ["check", "mesh", "solve", "estimate", "recover", "write"]
    progress = [u.progress for u in updates]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    assert [u.residual for u in updates if u.phase == "solve" and u.state == "RUNNING"] == [1.0, 1e-3, 1e-6]
    assert updates[0].state == "RUNNING"
    assert updates[-1].state == "SUCCEEDED"
    assert service.tokens == [""]


def test_watch_resumes_where_the_connection_broke(connect, study):
    client, service = connect(drop_after=[5, 5, 9])
    updates = list(run_of(client, study).watch())
    sequences = [u.sequence for u in updates]
    assert sequences == sorted(set(sequences))
    assert len(sequences) == 20
    assert updates[-1].state == "SUCCEEDED"
    assert service.tokens[:2] == ["", "5"]


def test_watch_may_be_left_early(connect, study):
    client, _ = connect(endless=True)
    run = run_of(client, study)
    for update in run.watch():
        if update.phase == "solve":
            break
    assert run.state == "RUNNING"


def test_cancel(connect, study):
    client, _ = connect(endless=True)
    run = run_of(client, study)
    with pytest.raises(twin.DeadlineExceeded, match=r"has not ended within 0\.2 s"):
        run.result(timeout=0.2)
    assert run.cancel().state == "CANCELLED"
    with pytest.raises(twin.Cancelled, match=run.name):
        run.result()


def test_a_failed_run_raises_why(connect, study):
    client, _ = connect(failure=failure("MESHING_FAILED", "no mesher could fill the part", netgen="gave up"))
    run = run_of(client, study)
    assert list(run.watch())[-1].error.message == "no mesher could fill the part"
    with pytest.raises(twin.MeshingFailed, match=r"^no mesher could fill the part$") as caught:
        run.result()
    assert caught.value.facts == {"netgen": "gave up"}


def test_study_and_options_arrive(connect, study):
    client, _ = connect()
    run = run_of(
        client, study, accuracy=0.02, method="solver", max_seconds="2 min", name="bracket", labels={"a": "b"}
    )
    (info,) = client.runs()
    assert (info.name, info.display_name, info.labels) == (run.name, "bracket", {"a": "b"})
    result = run.result()
    assert result.run == run.name


def test_impossible_options_are_refused_at_once(connect, study):
    client, service = connect()
    with pytest.raises(twin.StudyError, match="accuracy"):
        run_of(client, study, accuracy=5)
    assert "CreateRun" not in service.calls


def test_numbers_come_without_arrays_and_fields_when_asked_for(connect, study):
    client, service = connect()
    result = run_of(client, study).result()
    quantity = result.quantities["max_displacement"]
    assert (quantity.value, quantity.unit, quantity.error) == (1e-3, "m", 1e-5)
    assert result.quantities["safety_factor"].error == np.inf
    assert result.quantities["reaction_force"].value.tolist() == [0.0, 0.0, -100.0]
    assert not [call for call in service.calls if call.startswith("ReadArray")]
    assert list(result.fields) == ["displacement", "von_mises", "energy_error"]
    field = result.fields["displacement"]
    assert (field.values.shape, field.unit, field.location) == ((27, 3), "m", "node")
    assert result.fields["displacement"] is field
    assert result.fields["energy_error"].location == "cell"
    assert result.surface_fields["displacement"].values.shape == (8, 3)
    reads = [call for call in service.calls if call.startswith("ReadArray")]
    assert len(reads) == len(set(reads)) == 3
    assert result.cost.seconds == {"solve": 1.5}
    assert result.provenance == {"twin": "0.1.0"}
    assert result.assumptions == ("small displacements",)


@pytest.mark.parametrize("corrupt", ["crc", "checksum"])
def test_damaged_arrays_are_refused(connect, study, corrupt):
    client, service = connect(corrupt=corrupt)
    result = run_of(client, study).result()
    with pytest.raises(twin.Internal, match="damaged"):
        result.fields["displacement"]
    service.corrupt = ""
    assert result.fields["displacement"].values.shape == (27, 3)


def test_several_cases(connect, study):
    client, _ = connect(cases=("ver", "hor"))
    result = run_of(client, study).result()
    assert result.cases == ("ver", "hor")
    assert result.case("ver").quantities["max_displacement"].value == 1e-3
    worst = result.quantities
    assert (worst["max_displacement"].value, worst["max_displacement"].note) == (2e-3, "load case hor")
    assert (worst["safety_factor"].value, worst["safety_factor"].note) == (2.0, "load case hor")
    assert (worst["mass"].value, worst["mass"].note) == (7.85, "")
    assert result.case("hor").fields["von_mises"].values.max() == 4e6
    with pytest.raises(twin.InvalidInput, match=r"several load cases.*ver, hor"):
        result.fields  # noqa: B018
    with pytest.raises(twin.InvalidInput, match=r"no load case 'dia'; it has ver, hor"):
        result.case("dia")


def test_probe(connect, study):
    client, _ = connect()
    result = run_of(client, study).result()
    found = result.probe("displacement", [[0.25, 0.5, 0.75], [1, 1, 1]])
    assert np.allclose(found.values, [[0.25e-3, 0.5e-3, 0.75e-3], [1e-3, 1e-3, 1e-3]])
    assert (found.unit, result.probe("von_mises", (0.5, 0.5, 0.5)).values[0, 0]) == (
        "m",
        pytest.approx(1.5e6),
    )
    with pytest.raises(twin.InvalidInput, match="outside the part"):
        result.probe("displacement", [[0, 0, 2.0]])
    with pytest.raises(twin.InvalidInput, match="no field 'temperature'; it has displacement"):
        result.probe("temperature", [[0, 0, 0]])
    with pytest.raises(twin.InvalidInput, match="shape"):
        result.probe("displacement", [0, 0])


def test_runs_are_listed_page_by_page(connect, study):
    client, service = connect()
    run_of(client, study)
    template = service.runs["runs/r1"]
    for number in range(2, 6):
        copy = type(template)()
        copy.CopyFrom(template)
        copy.name = f"runs/r{number}"
        service.runs[copy.name] = copy
    assert [info.name for info in client.runs()] == [f"runs/r{n}" for n in range(1, 6)]
    assert list(client.runs(states=["FAILED"])) == []


def test_a_closed_client_says_so(connect):
    client, _ = connect()
    client.close()
    client.close()
    with pytest.raises(twin.Unavailable, match="closed"):
        client.run("r1")


async def test_the_same_words_asynchronously(study, cube, tmp_path):
    with tempfile.TemporaryDirectory(prefix="twin-test-") as folder:
        server = await serve(FakeService(cases=("a", "b")), Path(folder) / "s")
        async with twin.aio.connect(f"{folder}/s") as client:
            part = await client.upload(cube)
            run = await client.simulate(part, study)
            phases = [update.phase async for update in run.watch()]
            assert phases[-1] == "write"
            result = await run.result()
            assert [info.name async for info in client.runs()] == [run.name]
            assert (await result.field("displacement", case="b")).values.max() == 2e-3
            assert (await result.case("a").probe("displacement", [[1, 1, 1]])).values.max() == 1e-3
            await result.save(tmp_path / "result.csv")
            assert "max_displacement" in (tmp_path / "result.csv").read_text()
        await server.stop(None)
