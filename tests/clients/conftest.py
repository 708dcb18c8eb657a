"""What clients in other languages need: the service as a user starts it, a part, and their own packages."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import trimesh

NODE = Path(__file__).with_name("node")
NODE_VERSION = 18


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, compile_cache: Path) -> Iterator[str]:
    """Address of `twin serve` on loopback, plaintext, with a home of its own."""
    home: Path = tmp_path_factory.mktemp("home")
    (home / "compile-cache").symlink_to(compile_cache)
    command = [sys.executable, "-m", "twin", "serve", "--listen", "127.0.0.1:0", "--home", str(home)]
    with (
        (home / "log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, (home / "log").read_text()
            yield json.loads(line)["address"]
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="module")
def bar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bar of 100 x 20 x 10 mm with a corner at the origin, as STL in mm: more triangles than it needs, for
    an upload of several chunks."""
    path: Path = tmp_path_factory.mktemp("part") / "bar.stl"
    extents = np.array((100.0, 20.0, 10.0))
    solid = trimesh.creation.box(extents=extents)
    solid.apply_translation(extents / 2)
    for _ in range(4):
        solid = solid.subdivide()
    solid.export(path)
    return path


@pytest.fixture(scope="session")
def node(pytestconfig: pytest.Config) -> Path:
    """Folder of the Node client with its packages, in pytest's cache: the project's own tree stays clean."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip(
            f"needs Node {NODE_VERSION} or later with npm on PATH: apt-get install nodejs npm, or nodejs.org"
        )
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < NODE_VERSION:
        pytest.skip(f"needs Node {NODE_VERSION} or later, found {version}")
    wanted = hashlib.sha256((NODE / "package.json").read_bytes()).hexdigest()[:12]
    folder: Path = pytestconfig.cache.mkdir(f"node-client-{wanted}")
    for source in NODE.iterdir():
        if source.is_file():
            shutil.copy(source, folder)
    if not (folder / "installed").exists():
        _install(folder)
        (folder / "installed").touch()
    return folder


def _install(folder: Path) -> None:
    command = ["npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        pytest.skip(
            "npm could not install the packages of tests/clients/node within 120 s: is a registry in reach?"
        )
    if done.returncode != 0:
        reason = next((line for line in done.stderr.splitlines() if "error" in line), "no reason given")
        pytest.skip(
            f"npm could not install the packages of tests/clients/node ({reason}): is a registry in reach?"
        )
