"""The VTU in the program that it is for."""

import json
import shutil
import subprocess

import pytest

from twin.results.files import save

SCRIPT = """
import json, sys
from paraview import simple
reader = simple.XMLUnstructuredGridReader(FileName=[sys.argv[1]])
reader.UpdatePipeline()
found = reader.GetDataInformation()
warped = simple.WarpByVector(Input=reader, Vectors=["POINTS", "displacement"], ScaleFactor=10.0)
warped.UpdatePipeline()
volume = simple.IntegrateVariables(Input=reader)
volume.UpdatePipeline()
print("FOUND " + json.dumps({
    "cells": found.GetNumberOfCells(), "points": found.GetNumberOfPoints(),
    "names": sorted(reader.PointData.keys()), "cell_names": sorted(reader.CellData.keys()),
    "von_mises": reader.PointData["von_mises"].GetRange(),
    "components": [reader.PointData["stress"].GetComponentName(k) for k in range(6)],
    "bounds": warped.GetDataInformation().GetBounds(),
    "volume": volume.CellData["Volume"].GetRange()[0],
}))
"""


@pytest.mark.paraview
@pytest.mark.skipif(
    shutil.which("pvpython") is None, reason="pvpython is not installed (apt install python3-paraview)"
)
def test_paraview_reads_warps_and_integrates(beam, tmp_path):
    script, file = tmp_path / "check.py", save(beam, tmp_path / "beam.vtu")
    script.write_text(SCRIPT)
    run = subprocess.run(
        ["pvpython", str(script), str(file)], capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "error" not in run.stderr.lower()
    found = json.loads(run.stdout.split("FOUND ", 1)[1])
    assert (found["cells"], found["points"]) == (len(beam.tets), len(beam.points))
    assert {"displacement", "stress", "von_mises"} <= set(found["names"])
    assert "energy_error" in found["cell_names"]
    assert found["von_mises"][1] == pytest.approx(200e6)
    assert found["components"] == ["XX", "YY", "ZZ", "XY", "YZ", "XZ"]
    deflection = beam.cases["default"].fields["displacement"].values[:, 2].min()
    assert found["bounds"][4] == pytest.approx(10.0 * deflection, rel=0.05)
    assert found["volume"] == pytest.approx(0.1 * 0.02 * 0.01, rel=1e-6)
