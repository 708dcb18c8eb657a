"""Runs contenders in children; meshes are made once and kept in a folder."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.solids import bracket, machine, supervise
from tests.benchmarks.solids.contenders import BY_KEY, Contender
from twin.workers.devices import find_devices

ROOT = Path(__file__).parents[3]
PACKAGE = "tests.benchmarks.solids"
# Memory of a solution [GB]: of any, and for each million unknowns; a run that would not fit is not tried.
MEMORY, MEMORY_PER_MILLION = 1.0, 2.0


class Bench:
    """The parts of the benchmark, each measured in children."""

    def __init__(self, folder: Path, time_limit: float, memory_gb: float) -> None:
        self.folder, self.time_limit, self.memory_gb = folder, time_limit, memory_gb
        self.beyond: dict[str, str] = {}  # contenders that reached a limit, and at which size

    def size(self, size: str, keys: list[str]) -> dict[str, Any]:
        """Everything at one size."""
        mesh = self._mesh(size, bracket.LEG)
        shutil.rmtree(self._cache(size), ignore_errors=True)
        rows = []
        for key in keys:
            rows += self._contend(BY_KEY[key], size)
        self._compare(size, rows)
        return {"size": size, "mesh": mesh, "rows": rows, "matvec": self._matvec(size)}

    def iterations(self, size: str) -> dict[str, Any]:
        """Iterations of ours to a residual of 1e-6."""
        mesh = self._mesh(size, bracket.LEG)
        row = self._contend(Contender("iterations", "twin", "ours", "iterations", lambda: True, ""), size)[0]
        return {"size": size, "edge_mm": mesh["edge_mm"], **row}

    def _contend(self, contender: Contender, size: str) -> list[dict[str, Any]]:
        about = {"key": contender.key, "title": contender.title, "load_average": os.getloadavg()[0]}
        if not contender.present():
            return [{**about, "failure": "not installed", "get": contender.get}]
        if contender.key in self.beyond:
            return [{**about, "failure": f"not tried: {self.beyond[contender.key]}"}]
        legs = (bracket.LEG, bracket.OTHER_LEG)[: contender.parts]
        for leg in legs:
            self._mesh(size, leg)
        out = self._answer(size, contender.key)
        out.unlink(missing_ok=True)
        cases = [str(self._case(size, leg)) for leg in legs]
        command = [
            contender.python(),
            "-m",
            f"{PACKAGE}.child",
            contender.module,
            contender.method,
            str(out),
            *cases,
        ]
        own = self._own_environment(size) if contender.module == "ours" else dict(os.environ)
        print(f"{size}: {contender.title}, {contender.method}", file=sys.stderr, flush=True)
        ended = supervise.run(command, own, out.with_suffix(".log"), ROOT, self.time_limit, self.memory_gb)
        if ended.failure:
            if ended.limit:
                self.beyond[contender.key] = f"{ended.failure} at {size}"
            return [{**about, "failure": ended.failure, "after": ended.seconds, "peak_gb": ended.peak_gb}]
        records = json.loads(out.read_text())
        # ccx is a process of its own, below the child: only the supervisor sees it.
        return [{**about, **record, "peak_gb": max(record["peak_gb"], ended.peak_gb)} for record in records]

    def _own_environment(self, size: str) -> dict[str, str]:
        """As the executor sets it."""
        return {
            **os.environ,
            **find_devices()[0].environment(),
            "JAX_COMPILATION_CACHE_DIR": str(self._cache(size)),
            "JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES": "none",
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        }

    def _compare(self, size: str, rows: list[dict[str, Any]]) -> None:
        """Distance of each displacement to that of the first direct solver, or else to ours."""
        solved = [row["key"] for row in rows if "failure" not in row]
        direct = [key for key in solved if BY_KEY[key].direct]
        if not solved:
            return
        reference = (direct or solved)[0]
        base = np.load(self._answer(size, reference).with_suffix(".npz"))["displacement"]
        energy = next(row["compliance"] for row in rows if row["key"] == reference)
        for row in rows:
            if "failure" in row or row["details"].get("another part"):
                continue
            row["reference"] = row["key"] == reference
            row["compliance_difference"] = row["compliance"] / energy - 1
            own = np.load(self._answer(size, row["key"]).with_suffix(".npz"))["displacement"]
            if own.shape == base.shape:
                row["displacement_difference"] = float(np.linalg.norm(own - base) / np.linalg.norm(base))

    def _matvec(self, size: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._measured("matvec", size)
        return found

    def growth(self, size: str) -> dict[str, Any]:
        """Ours alone: time and memory at one size, where it fits."""
        free, needed = machine.free_gb(), MEMORY + MEMORY_PER_MILLION * bracket.unknowns(size) / 1e6
        if min(free, self.memory_gb) < needed:
            print(f"{size}: not tried, {free:.1f} GB free of {needed:.1f}", file=sys.stderr, flush=True)
            return {"size": size, "failure": f"not tried: needs {needed:.1f} GB, {free:.1f} GB are free"}
        mesh = self._mesh(size, bracket.LEG)
        ours = Contender("growth", "twin", "ours", "again", lambda: True, "")
        return {"size": size, "mesh": mesh, **self._contend(ours, size)[-1]}

    def batches(self, size: str) -> list[dict[str, Any]]:
        """Throughput of many solutions at once beside one at a time."""
        self._mesh(size, bracket.LEG)
        found: list[dict[str, Any]] = self._measured("batches", size)
        return found

    def designs(self, size: str) -> list[dict[str, Any]]:
        """The same of designs that each have a grid of their own."""
        found: list[dict[str, Any]] = self._measured("designs", size, str(bracket.unknowns(size)))
        return found

    def cantilever(self, size: str) -> dict[str, Any]:
        """On the grid: cold, in a new process without a compile cache, and warm."""
        found: dict[str, Any] = self._measured("cantilever", size, str(bracket.unknowns(size)))
        return found

    def _measured(self, module: str, size: str, given: str = "") -> Any:
        """What a module of this folder writes, in a child; by default of the size's case."""
        out = self.folder / f"{size}-{module}.json"
        command = [
            sys.executable,
            "-m",
            f"{PACKAGE}.{module}",
            given or str(self._case(size, bracket.LEG)),
            str(out),
        ]
        print(f"{size}: {module}", file=sys.stderr, flush=True)
        environment = self._own_environment(size)
        if module == "cantilever":
            shutil.rmtree(self._cache(size), ignore_errors=True)
        ended = supervise.run(
            command, environment, out.with_suffix(".log"), ROOT, self.time_limit, self.memory_gb
        )
        if ended.failure:
            raise RuntimeError(f"{module} at {size}: {ended.failure}")
        return json.loads(out.read_text())

    def _mesh(self, size: str, leg: float) -> dict[str, Any]:
        """The case's facts; it is meshed at the first call."""
        path = self._case(size, leg)
        facts = path.with_suffix(".json")
        if not facts.exists():
            print(f"{size}: meshing", file=sys.stderr, flush=True)
            command = [sys.executable, "-m", f"{PACKAGE}.bracket", size, f"{leg:g}", str(path)]
            log = path.with_suffix(".log")
            ended = supervise.run(command, os.environ, log, ROOT, bracket.TIME_LIMIT, self.memory_gb)
            if ended.failure:
                raise RuntimeError(f"the part could not be meshed: {ended.failure}")
        return json.loads(facts.read_text())  # type: ignore[no-any-return]

    def _case(self, size: str, leg: float) -> Path:
        return self.folder / f"{size}-{leg:g}.npz"

    def _answer(self, size: str, key: str) -> Path:
        return self.folder / f"{size}-{key}.json"

    def _cache(self, size: str) -> Path:
        return self.folder / f"{size}-compile-cache"
