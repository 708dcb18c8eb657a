"""What the benchmark measures of this project alone, at sizes that take seconds; nothing is timed here."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solvers.precision import float64
from solvers.tet10.mesh import tet_mesh
from tests.benchmarks.solids import __main__ as bench
from tests.benchmarks.solids import batches, block, cantilever, designs, device, growth, hlo, own_table

PROGRAM = """\
%fused_scatter (param_0: f64[50,3], param_1: s32[40], param_2: f64[40,3]) -> f64[50,3] {
  %param_0 = f64[50,3]{1,0} parameter(0)
  %param_1 = s32[40]{0} parameter(1)
  %param_2 = f64[40,3]{1,0} parameter(2)
  ROOT %scatter.1 = f64[50,3]{1,0} scatter(%param_0, %param_1, %param_2), to_apply=%add
}

%fused_slice (param_0.1: f32[4,1000], param_1.1: s32[]) -> f32[1000] {
  %param_0.1 = f32[4,1000]{1,0} parameter(0)
  %param_1.1 = s32[] parameter(1)
  %dynamic-slice.1 = f32[1,1000]{1,0} dynamic-slice(%param_0.1, %param_1.1, %param_1.1)
  ROOT %bitcast.1 = f32[1000]{0} bitcast(%dynamic-slice.1)
}

%body (state: (f32[4,1000], s32[])) -> (f32[4,1000], s32[]) {
  %state = (f32[4,1000]{1,0}, s32[]) parameter(0)
  %all = f32[4,1000]{1,0} get-tuple-element(%state), index=0
  %at = s32[] get-tuple-element(%state), index=1
  %part = f32[1000]{0} fusion(%all, %at), kind=kLoop, calls=%fused_slice
  ROOT %tuple.1 = (f32[4,1000]{1,0}, s32[]) tuple(%all, %at)
}

ENTRY %main (x: f64[50,3], nodes: s32[40], own: f64[40,3], all: f32[4,1000], at: s32[]) -> f64[50,3] {
  %x = f64[50,3]{1,0} parameter(0)
  %nodes = s32[40]{0} parameter(1)
  %own = f64[40,3]{1,0} parameter(2)
  %all.1 = f32[4,1000]{1,0} parameter(3)
  %at.1 = s32[] parameter(4)
  %start = (f32[4,1000]{1,0}, s32[]) tuple(%all.1, %at.1)
  %while.1 = (f32[4,1000]{1,0}, s32[]) while(%start), body=%body, backend_config={"known_trip_count":{"n":"4"}}
  ROOT %sum = f64[50,3]{1,0} fusion(%x, %nodes, %own), kind=kInput, calls=%fused_scatter
}
"""


def test_traffic_counts_slices_scatters_and_loops():
    scattered = 8 * 3 * 40
    sliced = 2 * 4 * 1000 + 4  # read and written, and the place
    expected = hlo.Traffic(1, 3 * scattered + 4 * 40) + hlo.Traffic(1, sliced) * 4
    assert hlo.traffic(PROGRAM) == expected


@pytest.mark.skipif(not importlib.util.find_spec("jax_plugins"), reason="no compiler for GPUs")
def test_products_are_few_kernels_on_a_gpu():
    from tests.benchmarks.solids import traffic

    kernels = {one.name: one.traffic.kernels for one in traffic.programs(2e4)}
    assert kernels["tet10 product, float32"] <= 4
    assert kernels["grid product, float32"] <= 7


def test_the_fit_finds_an_exponent():
    unknowns = np.array([3e4, 1e5, 1e6])
    assert growth.fitted(unknowns, 2e-6 * unknowns**1.07) == pytest.approx((1.07, 2e-6))


def test_the_block_is_whole():
    case = block.case(5000)
    mesh = float64(tet_mesh)(case.points, case.tets)
    length, width, height = block.LENGTHS
    volume = length * width * height * (1 + block.BEND * height / 2)
    assert np.asarray(mesh.weight).sum() == pytest.approx(volume, rel=1e-4)
    assert case.force.sum(0) == pytest.approx(block.TRACTION * width * height)


def test_the_cantilever_bends_as_a_beam():
    assert 3 * (4 * 43 + 1) * 44**2 == 1_004_784
    assert cantilever.across(1e6) == 43
    found = cantilever.solve(5000)
    assert found["residual"] <= cantilever.TOLERANCE
    assert found["deflection"] == pytest.approx(cantilever.beam_deflection(), rel=0.02)


@pytest.mark.slow
def test_batches_agree_with_one_at_a_time():
    for record in batches.measure(block.case(1000), members=2):
        assert record["largest_difference"] < 1e-7, record["what"]


@pytest.mark.slow
def test_designs_agree_with_one_at_a_time():
    found = designs.measure(1000, members=3)
    assert found["largest_difference"] < 1e-7
    assert "designs, order 1" in "".join(own_table.lines({"designs": [[found]]}))


@pytest.mark.slow
def test_growth_and_its_table(tmp_path: Path):
    out, picture = tmp_path / "report.json", tmp_path / "growth.png"
    bench.main(["--parts", "growth", "--sizes", "10k", "--out", str(out), "--work", str(tmp_path)])
    report = json.loads(out.read_text())
    (row,) = report["growth"]
    assert row["residual"] < 1e-8
    assert "| 10,161 |" in bench.table.markdown(report)
    twice = [row, {**row, "unknowns": 2 * row["unknowns"]}]
    growth.picture(twice, picture)
    assert picture.stat().st_size > 10_000


def test_sizes_beyond_the_memory_are_not_tried(tmp_path: Path):
    measured = bench.Bench(tmp_path, 10, 2.0).growth("5M")
    assert "GB are free" in measured["failure"]


@pytest.mark.slow
def test_the_device_part_runs_on_a_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    out = tmp_path / "device.json"
    device.main(
        ["--sizes", "2e3", "--batch", "--designs", "--cantilever", "--agreement", "2e3", "--out", str(out)]
    )
    report: dict[str, Any] = json.loads(out.read_text())
    assert report["agreement"]["agrees"]
    (solved,) = report["solutions"]
    assert solved["residual"] < 1e-8
    assert {product["precision"] for product in solved["products"]} == {"float64", "float32"}
    assert report["device"]["copy_gb_s"] > 0
