"""The benchmark of solids at its smallest size: whoever takes part gives the same answer, absentees are named."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.benchmarks.solids import __main__ as bench
from tests.benchmarks.solids import bracket, contenders
from tests.benchmarks.solids.case import Case, von_mises
from tests.benchmarks.solids.peers import scikit_fem

pytestmark = pytest.mark.slow  # processes that compile for themselves, one after the other: seven minutes

SIZE = "10k"
PEERS = ("warm", "pardiso", "pyamg", "spooles", "cholesky", "jax-fem")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def report(folder: Path) -> dict[str, Any]:
    out = folder / "report.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(contenders.JAX_FEM, raising=False)
        bench.main(
            ["--sizes", SIZE, "--peers", *PEERS, "--iterations", "--out", str(out), "--work", str(folder)]
        )
    return json.loads(out.read_text())


@pytest.fixture(scope="module")
def rows(report: dict[str, Any]) -> list[dict[str, Any]]:
    return report["sizes"][0]["rows"]


def test_the_answer_satisfies_the_equations_that_scikit_fem_assembles(
    folder: Path, rows: list[dict[str, Any]]
):
    case = Case.load(folder / f"{SIZE}-{bracket.LEG:g}.npz")
    displacement = np.load(folder / f"{SIZE}-warm.npz")["displacement"]
    mesh = scikit_fem.quadratic_mesh(case)
    matrix, force = scikit_fem.assemble(case, mesh)
    rest = matrix @ displacement[~case.fixed].ravel() - force
    assert np.linalg.norm(rest) < 2e-8 * np.linalg.norm(force)
    # Ours is recovered over patches, which differs most at the supports of a mesh as coarse as this.
    averaged = von_mises(scikit_fem.nodal_stress(case, mesh, displacement)).max()
    assert rows[0]["max_von_mises"] == pytest.approx(averaged, rel=0.1)


def test_peers_agree_or_are_reported_absent(rows: list[dict[str, Any]]):
    absent = {row["key"] for row in rows if "failure" in row}
    for row in rows:
        if "failure" in row:
            assert row["failure"] == "not installed", row
            assert row["get"]
        elif not row["details"].get("another part"):
            # CalculiX writes six digits, and is what others are compared with where PARDISO is absent
            rounded = row["key"] in ("spooles", "cholesky") or "pardiso" in absent
            digits = 1e-4 if rounded else 1e-6
            assert row["displacement_difference"] < digits
            assert abs(row["compliance_difference"]) < digits


def test_another_part_of_the_bucket_compiles_nothing(rows: list[dict[str, Any]]):
    (other,) = (row for row in rows if row.get("details", {}).get("another part"))
    assert other["details"]["same bucket"]
    assert other["details"]["programs"] == {}


def test_the_table(report: dict[str, Any]):
    text = bench.table.markdown(report)
    assert "| twin, new process, warm cache | 10," in text
    assert "JAX-FEM, BiCGSTAB + ILU of PETSc: not installed (to get it: an environment of its own" in text
    assert "| float32 | 10," in text
