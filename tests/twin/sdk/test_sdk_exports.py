"""What `import twin` gives, and what it costs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import twin

EXPORTS = {
    "AlreadyExists", "Body", "Cancelled", "Centrifugal", "Client", "DeadlineExceeded", "Displacement",
    "ElasticFoundation", "FailedPrecondition", "Field", "Fixed", "Force", "GeometryError", "Gradient",
    "Gravity", "Internal", "InvalidInput", "Material", "MaterialError", "MeshingFailed", "NotFound",
    "Part", "Pressure", "Quantity", "RemoteForce", "ResourceExhausted", "Result", "Roller", "Rotating", "Run",
    "RunInfo", "SelectionError", "SolveFailed", "StaticStress", "StudyError", "Symmetry",
    "Traction", "TwinError", "Unavailable", "UnconstrainedError", "UnitError", "Update", "aio",
    "connect", "local", "materials", "select",
    "Choice", "Design", "Factorial", "Halton", "Integers", "LatinHypercube", "Levels", "Points", "Range",
    "Sobol", "Surrogate", "Sweep", "FreeForm", "Adaptive", "Script", "ServerScript", "Evolution", "Bayesian", "Descent",
    "Preview", "Verification",
    "ExternalFlow", "Fluid", "Ground", "InternalFlow", "Inlet", "Outlet",
    "Convection", "HeatConduction", "HeatFlow", "HeatFlux", "HeatSource", "Temperature",
}  # fmt: skip
HEAVY = {
    "jax",
    "pyvista",
    "trimesh",
    "netgen",
    "sqlalchemy",
    "grpc",
    "numpy",
    "pint",
    "scipy",
    "matplotlib",
    "pyarrow",
}


def test_exports_are_pinned():
    assert set(twin.__all__) == EXPORTS
    for name in EXPORTS:
        assert getattr(twin, name) is not None
    assert set(dir(twin)) >= EXPORTS
    with pytest.raises(AttributeError, match="no attribute 'lokal'"):
        twin.lokal  # noqa: B018


def test_type_checkers_see_the_same_names():
    """The names under TYPE_CHECKING come from the same modules as those that are looked up."""
    tree = ast.parse(Path(twin.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    shown = {
        alias.asname: f"{node.module}.{alias.name}"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    looked_up = {name: f"{module}.{name}" for name, module in twin._HOME.items()}
    assert shown == looked_up | twin._MODULES


def test_every_error_is_exported():
    from twin.errors import ERRORS

    assert {error.__name__ for error in ERRORS} <= EXPORTS


def test_import_is_light():
    script = """
import json, sys, time
start = time.perf_counter()
import twin
print(json.dumps([time.perf_counter() - start, sorted({name.partition('.')[0] for name in sys.modules})]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    seconds, modules = json.loads(done.stdout)
    assert not HEAVY & set(modules)
    assert seconds < 0.3


def test_a_client_never_loads_the_solver_nor_the_server():
    script = """
import json, sys, twin
[getattr(twin, name) for name in twin.__all__]
print(json.dumps(sorted(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    modules = set(json.loads(done.stdout))
    tops = {name.partition(".")[0] for name in modules}
    assert not {"jax", "pyvista", "netgen", "sqlalchemy", "matplotlib", "solvers"} & tops
    assert not {"twin.service", "twin.store", "twin.workers", "twin.analyses"} & modules
