"""What goes over the wire comes back the same, and what the domain accepts the contract accepts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from protos.twin.v1 import array_pb2, run_pb2, selector_pb2, study_pb2
from tests.twin import strategies
from twin import codec, materials
from twin.codec import ArrayReader, ArrayRecord
from twin.codec.geometries import MAX_PATCHES
from twin.errors import Internal, InvalidInput, SelectionError, SolveFailed, StudyError
from twin.geometry.surface import Patch, Report
from twin.quantities import Field, Quantity
from twin.results import storage
from twin.results.card import ModelCard, TrainedSurrogate
from twin.results.gradient import Gradient, Sensitivity
from twin.results.outcome import (
    CaseOutcome,
    ConvergenceRow,
    Cost,
    Equilibrium,
    Glyph,
    HeatBalance,
    HeatTerm,
    Outcome,
    UniformGrid,
)
from twin.select import Selector
from twin.studies import Question, Request, StaticStress, Training

# -- studies


@settings(max_examples=60, deadline=None)
@given(strategies.studies, strategies.requests)
def test_studies_round_trip_and_meet_the_contract(study: Question, request: Request) -> None:
    message = run_pb2.CreateRunRequest()
    message.run.geometry = "" if isinstance(study, Training) else "geometries/a"
    message.run.study.CopyFrom(codec.study_to_proto(study))
    message.run.options.CopyFrom(codec.options_to_proto(request))
    assert codec.refusal(message) is None
    assert codec.parse_study(message.run.study.SerializeToString()) == study
    assert codec.parse_options(message.run.options.SerializeToString()) == request


@settings(max_examples=60, deadline=None)
@given(strategies.selectors)
def test_selectors_round_trip(selector: Selector) -> None:
    assert codec.selector_from_proto(codec.selector_to_proto(selector)) == selector


@settings(max_examples=40, deadline=None)
@given(strategies.cards)
def test_model_cards_survive_the_wire_and_the_store(card: ModelCard) -> None:
    view = codec.SurrogateView(
        "surrogates/a", 2, (codec.VersionView(2, "runs/b", datetime(2026, 1, 2, tzinfo=UTC), card),)
    )
    message = codec.surrogate_to_proto(view)
    assert codec.surrogate_from_proto(type(message).FromString(message.SerializeToString())) == view
    made = TrainedSurrogate("surrogates/a", card, {}, (), Cost({}, None, "cpu"))
    manifest, _ = storage.dump(made)
    assert storage.load_card(json.loads(json.dumps(manifest, allow_nan=False))) == card


def test_absent_options_are_defaults() -> None:
    assert codec.options_from_proto(study_pb2.SolveOptions()) == Request()


def test_material_of_the_library_has_its_resource_name() -> None:
    titanium = materials.material("Ti-6Al-4V")
    message = codec.material_to_proto(titanium)
    assert message.name == "materials/ti-6al-4v"
    assert codec.material_from_proto(message) == titanium
    assert "TC4" in codec.library_entry_to_proto("Ti-6Al-4V").aliases


def test_what_a_newer_client_sends_is_refused_in_words() -> None:
    with pytest.raises(StudyError, match="this version does not know"):
        codec.study_from_proto(study_pb2.Study())
    with pytest.raises(StudyError, match="A load is empty"):
        codec.load_from_proto(study_pb2.Load())
    with pytest.raises(StudyError, match="A support is empty"):
        codec.support_from_proto(study_pb2.Support())
    with pytest.raises(SelectionError, match="A selector is empty"):
        codec.selector_from_proto(selector_pb2.Selector())
    with pytest.raises(InvalidInput, match="method 77 is not known"):
        codec.options_from_proto(study_pb2.SolveOptions(method=77))  # type: ignore[arg-type]


def test_deep_selectors_are_refused_before_the_stack_is() -> None:
    message = selector_pb2.Selector(whole_surface={})
    for _ in range(40):
        message = selector_pb2.Selector(complement=message)
    with pytest.raises(SelectionError, match="nested more than"):
        codec.selector_from_proto(message)


def test_two_cases_of_a_name_are_refused() -> None:
    message = codec.study_to_proto(_study())
    message.static_stress.load_cases.append(message.static_stress.load_cases[0])
    with pytest.raises(StudyError, match="Two load cases are named 'default'"):
        codec.study_from_proto(message)


def test_refusals_name_the_fields() -> None:
    message = run_pb2.CreateRunRequest()
    message.run.study.CopyFrom(codec.study_to_proto(_study()))
    message.run.study.static_stress.supports.add().fixed.on.patches.ids.append(-1)
    message.run.labels["A"] = "b"
    status = codec.refusal(message)
    assert status is not None
    fields = dict(codec.field_violations(status))
    path = "run.study.static_stress.supports[1].fixed.on.patches.ids[0]"
    assert set(fields) == {"run", path, 'run.labels["A"]'}
    error = codec.error_from_status(status)
    assert isinstance(error, InvalidInput)
    assert path in error.message


def _study() -> StaticStress:
    from twin import select
    from twin.studies import Fixed, Force

    return StaticStress("S235", [Fixed(select.patch(1))], [Force((0, 0, -1), select.patch(2))])


# -- geometries


def _patch(number: int) -> Patch:
    return Patch(
        number, 1e-4 * (1 + number % 7), (0.1, 0.2, 0.3), "cylinder", None, 0.005, (0, 0, 1), (0, 0, 0)
    )


def _report(patches: tuple[Patch, ...]) -> Report:
    return Report(
        triangles=12, watertight=True, volume=1e-6, area=6e-4, bounds=((0, 0, 0), (0.01, 0.01, 0.01)),
        bodies=1, patches=patches, groups=("clevis",), repairs=("2 duplicate faces removed",), warnings=(),
        unit="mm", chord_error=0.0,
    )  # fmt: skip


def test_reports_round_trip() -> None:
    plane = Patch(0, 1e-4, (0, 0, 0), "plane", (0.0, 0.0, 1.0))
    report = _report((plane, _patch(1), Patch(2, 1e-4, (0, 0, 0), "free")))
    assert codec.parse_report(codec.report_to_proto(report).SerializeToString()) == report


def test_a_report_of_very_many_patches_stays_within_a_message() -> None:
    message = codec.report_to_proto(_report(tuple(_patch(i) for i in range(3 * MAX_PATCHES))))
    assert message.ByteSize() < 2 << 20
    assert message.patch_count == 3 * MAX_PATCHES
    assert len(message.patches) == MAX_PATCHES
    smallest = min(patch.area for patch in message.patches)
    assert smallest >= 5e-4, "the largest stay"


# -- arrays

dtypes = st.sampled_from(["<f4", "<f8", "<i4", "<i8", "|u1"])
arrays = dtypes.flatmap(
    lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=20))
)


def _record(values: NDArray[np.generic]) -> ArrayRecord:
    return ArrayRecord("runs/1/arrays/a.b", values.dtype.str, values.shape, "sha256:0", "m", "node", "b")


def _through_the_wire(values: NDArray[np.generic], encoding: codec.Encoding) -> NDArray[np.generic]:
    reader = ArrayReader()
    for message in codec.array_messages(_record(values), values, 0, encoding):
        assert message.ByteSize() < 2 << 20
        reader.feed(array_pb2.ReadArrayResponse.FromString(message.SerializeToString()))
    assert reader.record == _record(values)
    return reader.rows()


@settings(max_examples=60, deadline=None)
@given(arrays, st.sampled_from(["raw", "shuffle_zstd"]))
def test_arrays_round_trip(values: NDArray[np.generic], encoding: codec.Encoding) -> None:
    read = _through_the_wire(values, encoding)
    assert read.dtype == values.dtype
    np.testing.assert_array_equal(read, values)


@pytest.mark.parametrize("encoding", ["raw", "shuffle_zstd"])
def test_large_arrays_travel_in_chunks(encoding: codec.Encoding) -> None:
    values = np.linspace(0, 1, 3 * 200_001).reshape(-1, 3)
    messages = list(codec.array_messages(_record(values), values, 0, encoding))
    assert len(messages) == 6
    assert sum(m.chunk.row_count for m in messages) == len(values)
    np.testing.assert_array_equal(_through_the_wire(values, encoding), values)


def test_shuffling_compresses_smooth_fields() -> None:
    values = np.linspace(0, 1, 100_000).reshape(-1, 1)
    (_, chunk) = codec.array_messages(_record(values), values, 0, "shuffle_zstd")
    assert len(chunk.chunk.data) < 0.6 * values.nbytes


def test_damage_is_noticed() -> None:
    values = np.arange(30.0).reshape(-1, 3)
    header, chunk = codec.array_messages(_record(values), values, 0, "raw")
    reader = ArrayReader()
    with pytest.raises(Internal, match="without its header"):
        reader.feed(chunk)
    reader.feed(header)
    with pytest.raises(Internal, match="ended after 0 of 240 bytes"):
        reader.rows()
    chunk.chunk.data = b"\x01" + chunk.chunk.data[1:]
    with pytest.raises(Internal, match="damaged"):
        reader.feed(chunk)


def test_a_bomb_is_not_unpacked() -> None:
    import zstandard

    bomb = zstandard.ZstdCompressor().compress(bytes(1 << 26))
    with pytest.raises(Internal, match="larger than the contract allows"):
        codec.chunk_from_proto(array_pb2.ReadArrayResponse.Chunk(data=bomb), 8, "shuffle_zstd")


def test_half_an_element_is_noticed() -> None:
    import zstandard

    data = zstandard.ZstdCompressor().compress(bytes(7))
    with pytest.raises(Internal, match="within an element"):
        codec.chunk_from_proto(array_pb2.ReadArrayResponse.Chunk(data=data), 8, "shuffle_zstd")


def test_elements_without_a_place_on_the_wire() -> None:
    with pytest.raises(Internal, match="complex128"):
        codec.array_to_proto(ArrayRecord("runs/1/arrays/a", "complex128", (3,), "sha256:0"))


# -- results


def _outcome() -> Outcome:
    generator = np.random.default_rng(0)
    points, tets = generator.normal(size=(10, 3)), np.arange(10, dtype=np.int32).reshape(1, 10)
    triangles = np.array([[0, 1, 2]], dtype=np.int32)
    case = CaseOutcome(
        quantities={
            "max_von_mises": Quantity(3e8, "Pa", 1e7, "at (1, 2, 3) mm"),
            "reaction_force": Quantity(np.array([0, 0, 35600.0]), "N", np.array([1.0, np.inf, 0])),
            "safety_factor": Quantity(2.0, "", np.inf),
        },
        fields={
            "displacement": Field("displacement", generator.normal(size=(10, 3)), "m", "node"),
            "energy_error": Field("energy_error", generator.normal(size=(1, 1)), "J", "cell"),
        },
        surface_fields={"displacement": Field("displacement", generator.normal(size=(3, 3)), "m", "surface")},
        balance=Equilibrium((0, 0, -35600), (0, 0, 35600), (1, 2, 3), (-1, -2, -3), 1e-9),
    )
    heat = CaseOutcome(
        quantities={"max_temperature": Quantity(350.0, "K", 0.1, "", 50.0)},
        fields={"temperature": Field("temperature", generator.normal(size=(10, 1)), "K", "node")},
        surface_fields={},
        balance=HeatBalance((HeatTerm("Temperature", "all", 15.0), HeatTerm("HeatSource", "", -15.0)), 1e-9),
    )
    return Outcome(
        cases={"default": case, "up": case, "warm": heat},
        points=points,
        tets=tets,
        surface_vertices=points[:3],
        surface_triangles=triangles,
        glyphs=(
            Glyph("fixed", "Fixed", points[:2]),
            Glyph("force", "35.6 kN", points[:2], np.array([[0, 0, -1.0]]), "up"),
        ),
        assumptions=("Linear elasticity.",),
        warnings=("The bound is above the accuracy asked for.",),
        convergence=(
            ConvergenceRow(1000, 0.005, 20, 1e-9, 0.5, {"max_von_mises": 2.9e8}, {"max_von_mises": np.inf}),
            ConvergenceRow(8000, 0.0025, 22, 1e-9, 3.5, {"max_von_mises": 3e8}),
        ),
        mesh_quality={"min_scaled_jacobian": 0.3},
        mesher="netgen",
        provenance={"jax": "0.10"},
        cost=Cost({"mesh": 1.5, "solve": 3.0}, None, "cpu", 123456789012),
        grids=(
            UniformGrid(
                (0.1, -0.2, 1 / 3),
                ((0.0, 1.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
                0.25,
                (1, 2, 3),
                {"velocity": Field("velocity", generator.normal(size=(6, 3)), "m/s", "cell")},
            ),
        ),
    )


def test_results_round_trip_without_loss() -> None:
    record, manifest, values = _through_result(_outcome())
    displacement = record.arrays["default.displacement"]
    assert (displacement.unit, displacement.location, displacement.field) == ("m", "node", "displacement")

    read = storage.load(
        record.manifest, lambda key: record.inline[key] if key in record.inline else values[key]
    )
    again, arrays = storage.dump(read)
    assert again == manifest
    assert arrays.keys() == values.keys()
    for key, array in arrays.items():
        np.testing.assert_array_equal(array, values[key])


def _through_result(
    outcome: Outcome | Gradient,
) -> tuple[codec.ResultRecord, dict[str, Any], dict[str, NDArray[Any]]]:
    manifest, values = storage.dump(outcome)
    records = {
        key: ArrayRecord(f"runs/1/arrays/{key}", array.dtype.str, array.shape, "sha256:0")
        for key, array in values.items()
    }
    message = codec.result_to_proto("runs/1/result", manifest, records, values.__getitem__)
    assert codec.refusal(message) is None
    record = codec.result_from_proto(type(message).FromString(message.SerializeToString()))
    assert record.name == "runs/1/result"
    return record, manifest, values


def _gradient(**parameters: Sensitivity) -> Gradient:
    return Gradient(
        "runs/0", "up", "max_von_mises", "loads", 1e6, "Pa", 2e5, parameters, ("Linear elasticity.",), (),
        {"jax": "0.10"}, Cost({"solve": 3.0}, None, "cpu", 123456789012),
    )  # fmt: skip


def test_gradients_round_trip_without_loss() -> None:
    numbers = {"loads[0].vector": np.array([1.0, -2.0, 1 / 3]), "loads[1].value": np.array(-0.1)}
    given = _gradient(**{name: Sensitivity(value, "Pa/N") for name, value in numbers.items()})
    record, manifest, values = _through_result(given)
    assert record.manifest == manifest
    assert not values
    read = storage.load_gradient(record.manifest, values.__getitem__)
    assert list(read) == list(given)
    for name, sensitivity in read.items():
        assert sensitivity.values.shape == given[name].values.shape
        np.testing.assert_array_equal(sensitivity, given[name])
    assert (read.value, read.gap, read.unit, read.cost) == (given.value, given.gap, "Pa", given.cost)
    np.testing.assert_array_equal(np.asarray(read), [1.0, -2.0, 1 / 3, -0.1])
    with pytest.raises(ValueError, match="is a gradient"):
        storage.load(record.manifest, values.__getitem__)


def test_gradients_to_shape_are_arrays_of_the_surface() -> None:
    record, _, values = _through_result(
        _gradient(vertices=Sensitivity(np.arange(12.0).reshape(4, 3), "Pa/m"))
    )
    described = record.arrays["gradient.vertices"]
    assert (described.unit, described.location, described.field) == ("Pa/m", "surface", "vertices")
    read = storage.load_gradient(record.manifest, values.__getitem__)
    assert np.asarray(read).shape == (4, 3)


def test_glyphs_of_very_many_points_are_thinned() -> None:
    manifest, values = storage.dump(_outcome())
    values["glyph.0.points"] = np.zeros((1_234_567, 3))
    records = {
        key: ArrayRecord(f"runs/1/arrays/{key}", array.dtype.str, array.shape, "sha256:0")
        for key, array in values.items()
    }
    message = codec.result_to_proto("runs/1/result", manifest, records, values.__getitem__)
    assert message.ByteSize() < 2 << 20
    assert len(message.glyphs[0].points) > 1000


# -- runs

MOMENT = datetime(2025, 5, 17, 12, 30, 1, 250000, tzinfo=UTC)


def test_runs_round_trip() -> None:
    view = codec.RunView(
        name="runs/1",
        geometry="geometries/a",
        state="FAILED",
        created=MOMENT,
        started=MOMENT,
        progress=codec.ProgressRecord("solve", 0.5, "level 2", 1e-5, {"loss": 0.2}),
        error=SolveFailed("Did not converge.", {"iterations": 500}),
        display_name="bracket",
        labels={"team": "a"},
    )
    study, options = codec.study_to_proto(_study()), codec.options_to_proto(Request())
    message = codec.run_to_proto(view, study.SerializeToString(), options.SerializeToString())
    read = codec.run_from_proto(message)
    assert isinstance(read.error, SolveFailed)
    assert read.error.facts == {"iterations": "500"}
    assert (read.name, read.state, read.progress, read.ended) == ("runs/1", "FAILED", view.progress, None)
    assert (read.created, read.labels) == (MOMENT, {"team": "a"})
    assert codec.run_study(message) == (_study(), Request())


@pytest.mark.parametrize(
    "event",
    [
        codec.RunEvent(1, "a", MOMENT, state="PENDING"),
        codec.RunEvent(2, "b", MOMENT, progress=codec.ProgressRecord("mesh", 0.0)),
        codec.RunEvent(2, "b", MOMENT),
    ],
)
def test_events_round_trip(event: codec.RunEvent) -> None:
    assert codec.event_from_proto(codec.event_to_proto(event)) == event


def test_a_failure_brings_its_error() -> None:
    event = codec.RunEvent(3, "c", MOMENT, state="FAILED", error=SolveFailed("Did not converge."))
    read = codec.event_from_proto(codec.event_to_proto(event))
    assert isinstance(read.error, SolveFailed)
    assert read.error.message == "Did not converge."
