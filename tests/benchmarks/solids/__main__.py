"""Time from mesh to stress beside other codes: python -m tests.benchmarks.solids [--sizes 100k 300k 1M]"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import shlex
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.solids import bracket, machine, supervise, table
from tests.benchmarks.solids.contenders import BY_KEY, CONTENDERS, Contender
from twin.workers.devices import find_devices

ROOT = Path(__file__).parents[3]
RESULTS = Path(__file__).parents[1] / "results"
PACKAGE = "tests.benchmarks.solids"


def main(arguments: list[str] | None = None) -> None:
    """Mesh, let everyone solve, print the tables, write the raw figures."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-solids-") as name:
        folder = options.work or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(folder, options.time_limit, options.memory)
        report: dict[str, Any] = {
            "date": datetime.date.today().isoformat(),
            "command": f"python -m {PACKAGE} {shlex.join(sys.argv[1:] if arguments is None else arguments)}".strip(),
            "machine": machine.facts(),
            "bandwidth": machine.bandwidth(),
            "limits": {"seconds": options.time_limit, "memory_gb": options.memory},
            "sizes": [],
            "iterations": [],
        }
        out = options.out or RESULTS / f"{report['date']}-{_slug(report['machine'])}-solids.json"
        # A run takes long: what is measured is written at once.
        for size in options.sizes:
            report["sizes"].append(bench.size(size, options.peers))
            _write(report, out)
        for size in options.iterations:
            report["iterations"].append(bench.iterations(size))
        _write(report, out)
    print(table.markdown(report))


def _write(report: dict[str, Any], out: Path) -> None:
    report["machine"]["load_average_at_end"] = os.getloadavg()
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=1) + "\n")


class Bench:
    """Runs contenders in children; meshes are made once and kept in a folder."""

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
        """As the supervisor of workers sets it."""
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
        out = self.folder / f"{size}-matvec.json"
        command = [sys.executable, "-m", f"{PACKAGE}.matvec", str(self._case(size, bracket.LEG)), str(out)]
        environment = self._own_environment(size)
        ended = supervise.run(
            command, environment, out.with_suffix(".log"), ROOT, self.time_limit, self.memory_gb
        )
        if ended.failure:
            raise RuntimeError(f"the matrix-vector product could not be timed: {ended.failure}")
        return json.loads(out.read_text())  # type: ignore[no-any-return]

    def _mesh(self, size: str, leg: float) -> dict[str, Any]:
        """The case's facts; it is meshed at the first call."""
        path = self._case(size, leg)
        facts = path.with_suffix(".json")
        if not facts.exists():
            print(f"{size}: meshing", file=sys.stderr, flush=True)
            meshed = bracket.meshed(bracket.SIZES[size], leg, self.folder)
            meshed.case.save(path)
            record = {key: value for key, value in asdict(meshed).items() if key != "case"}
            sizes = {"unknowns": meshed.case.unknowns, "elements": len(meshed.case.tets)}
            facts.write_text(json.dumps({**record, **sizes, "edge_mm": bracket.SIZES[size]}))
        return json.loads(facts.read_text())  # type: ignore[no-any-return]

    def _case(self, size: str, leg: float) -> Path:
        return self.folder / f"{size}-{leg:g}.npz"

    def _answer(self, size: str, key: str) -> Path:
        return self.folder / f"{size}-{key}.json"

    def _cache(self, size: str) -> Path:
        return self.folder / f"{size}-compile-cache"


def _slug(facts: dict[str, Any]) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", str(facts["processor"]).lower()).strip("-")
    return f"{words}-{facts['cores']}-cores"


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {PACKAGE}", description=__doc__)
    keys = [contender.key for contender in CONTENDERS]
    parser.add_argument("--sizes", nargs="+", choices=bracket.SIZES, default=["100k", "300k", "1M"])
    parser.add_argument("--peers", nargs="+", choices=keys, default=keys, help="who takes part")
    parser.add_argument(
        "--iterations", nargs="*", choices=bracket.SIZES, default=["10k", "30k", "100k", "300k", "1M"]
    )
    parser.add_argument("--time-limit", type=float, default=600.0, help="of each contender [s]")
    parser.add_argument("--memory", type=float, default=12.0, help="of each contender [GB]")
    parser.add_argument("--out", type=Path, help="raw figures; by default in tests/benchmarks/results")
    parser.add_argument("--work", type=Path, help="folder to keep meshes and logs in")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
