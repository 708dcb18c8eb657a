"""Small programs that `twin doctor` runs in child processes: what breaks there breaks nothing here.

Each prints one JSON object. They use a library the way the service does, on the smallest input.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import Final, final

JAX: Final = """
import json, jax
import jax.numpy as jnp
total = float(jnp.arange(4.0).sum())
assert total == 6.0, total
devices = [f"{d.platform}:{d.device_kind}" for d in jax.devices()]
print(json.dumps({"version": jax.__version__, "devices": devices, "backend": jax.default_backend()}))
"""

NETGEN: Final = """
import json
from importlib.metadata import version
import netgen.occ as occ
mesh = occ.OCCGeometry(occ.Box(occ.Pnt(0, 0, 0), occ.Pnt(1, 1, 1))).GenerateMesh(maxh=0.5)
print(json.dumps({"version": version("netgen-mesher"), "tets": len(mesh.Elements3D())}))
"""

MANIFOLD: Final = """
import json
from importlib.metadata import version
from manifold3d import Manifold
union = Manifold.cube((1, 1, 1)) + Manifold.cube((1, 1, 1)).translate((0.5, 0, 0))
assert abs(union.volume() - 1.5) < 1e-9
print(json.dumps({"version": version("manifold3d"), "triangles": union.num_tri()}))
"""

PICTURES: Final = """
import io, json, matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
figure = Figure(figsize=(1, 1))
figure.add_subplot().plot([0, 1])
picture = io.BytesIO()
FigureCanvasAgg(figure).print_png(picture)
assert picture.getvalue().startswith(b"\\x89PNG")
print(json.dumps({"version": matplotlib.__version__}))
"""

VTK: Final = """
import json, pyvista
path = "grid.vtu"
pyvista.ImageData(dimensions=(2, 2, 2)).cast_to_unstructured_grid().save(path)
assert pyvista.read(path).n_cells == 1
print(json.dumps({"version": ".".join(map(str, pyvista.vtk_version_info))}))
"""

OFF_SCREEN: Final = """
import json, pyvista
plotter = pyvista.Plotter(off_screen=True, window_size=(64, 64))
plotter.add_mesh(pyvista.Sphere(), color="red")
assert plotter.screenshot(return_img=True).std() > 1, "the picture is blank"
print(json.dumps({"version": pyvista.__version__}))
"""


@final
@dataclass(frozen=True)
class Answer:
    """facts: what the probe printed; failure: one line on why it printed nothing."""

    facts: dict[str, object]
    failure: str | None = None


def ask(program: str, timeout: float = 60.0) -> Answer:
    """Run a probe in a child process of the same interpreter."""
    command = [sys.executable, "-c", program]
    try:
        with tempfile.TemporaryDirectory(
            prefix="twin-doctor-"
        ) as folder:  # meshers may leave files where they run
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=timeout, check=False, cwd=folder
            )
    except subprocess.TimeoutExpired:
        return Answer({}, f"no answer within {timeout:.0f} s")
    if done.returncode == 0:
        for line in reversed(done.stdout.splitlines()):
            if line.startswith("{"):
                return Answer(json.loads(line))
    if done.returncode < 0:
        return Answer({}, f"crashed with signal {-done.returncode}")
    said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return Answer({}, said[-1] if said else f"ended with status {done.returncode} and no word")
