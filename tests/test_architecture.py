"""The house rules that a tool can hold."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_dependencies_point_one_way():
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("package", ["twin", "twin.sdk", "twin.service.app", "twin.cli.app"])
def test_the_front_end_loads_no_jax(package):
    code = (
        f"import sys, {package}; print(sorted({{'jax', 'netgen', 'pyvista', 'trimesh'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
