"""All that is measured on a lent GPU: python -m tests.benchmarks.solids.device [--sizes 1e6 5e6] [--batch 1e5]

Correctness against a CPU, the share of the copy bandwidth that the matrix-vector product reaches, time to solution and
memory, throughput of batches, FEAX's cantilever; into tests/benchmarks/results. It needs the solvers and what they
import (jax, equinox, jaxtyping, numpy, scipy), no mesher, and runs as it is on a CPU with small sizes. Each part has a
process of its own: it begins with an empty device, and a part that fails leaves the others.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.solids import machine, supervise

ROOT = Path(__file__).parents[3]
RESULTS = Path(__file__).parents[1] / "results"
PACKAGE = "tests.benchmarks.solids"
AGREEMENT = 1e-6  # of displacements on two machines, each solved to 1e-8


def main(arguments: list[str] | None = None) -> None:
    """Run every part, write what it tells at once, print the record."""
    options = _options(arguments)
    report: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "command": machine.command(f"{PACKAGE}.device", arguments),
        "machine": machine.facts(),
    }
    with tempfile.TemporaryDirectory(prefix="bench-device-") as name:
        parts = Parts(Path(name), options.time_limit, options.memory)
        report["device"] = parts.run("facts")
        report["agreement"] = parts.agreement(options.agreement)
        out = options.out or RESULTS / f"{report['date']}-{_slug(report['device'])}-solids-device.json"
        for key, part, sizes in (
            ("solutions", "solution", options.sizes),
            ("batches", "batches", options.batch),
            ("designs", "designs", options.designs),
            ("cantilever", "cantilever", options.cantilever),
        ):
            report[key] = []
            for size in sizes:
                report[key].append(parts.run(part, f"{size:g}"))
                out.parent.mkdir(parents=True, exist_ok=True)
                out.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


class Parts:
    """Runs parts in children, one at a time."""

    def __init__(self, folder: Path, time_limit: float, memory_gb: float) -> None:
        self.folder, self.time_limit, self.memory_gb = folder, time_limit, memory_gb

    def run(self, part: str, *given: str, platform: str | None = None) -> dict[str, Any]:
        """What a part tells, or why it does not."""
        out = self.folder / f"{part}-{len(list(self.folder.iterdir()))}.json"
        environment = {**os.environ, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
        if platform:
            environment["JAX_PLATFORMS"] = platform
        command = [sys.executable, "-m", f"{PACKAGE}.device_parts", part, str(out), *given]
        print(f"{part} {' '.join(given)}", file=sys.stderr, flush=True)
        log = out.with_suffix(".log")
        ended = supervise.run(command, environment, log, ROOT, self.time_limit, self.memory_gb)
        if ended.failure:
            return {"part": part, "given": given, "failure": ended.failure}
        found: dict[str, Any] = json.loads(out.read_text())
        return found

    def agreement(self, unknowns: float) -> dict[str, Any]:
        """Displacement on the device beside that on a CPU."""
        fields = [self.folder / name for name in ("cpu.npy", "device.npy")]
        for field, platform in zip(fields, ("cpu", None), strict=True):
            told = self.run("displacement", f"{unknowns:g}", str(field), platform=platform)
            if "failure" in told:
                return told
        compared = self.run("difference", *map(str, fields), platform="cpu")
        return {**compared, "limit": AGREEMENT, "agrees": compared["difference"] < AGREEMENT}


def _slug(device: dict[str, Any]) -> str:
    return re.sub(r"[^a-z0-9]+", "-", str(device.get("kind", "unknown")).lower()).strip("-")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"python -m {PACKAGE}.device", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sizes", nargs="*", type=float, default=[1e6, 5e6], help="unknowns, on tetrahedra")
    parser.add_argument(
        "--batch", nargs="*", type=float, default=[1e4, 1e5], help="unknowns of a batch's members"
    )
    parser.add_argument(
        "--designs", nargs="*", type=float, default=[1e4], help="unknowns of each, on the grid"
    )
    parser.add_argument("--cantilever", nargs="*", type=float, default=[1e6], help="unknowns, on the grid")
    parser.add_argument("--agreement", type=float, default=1e5, help="unknowns that a CPU solves too")
    parser.add_argument("--time-limit", type=float, default=300.0, help="of each part [s]")
    parser.add_argument("--memory", type=float, default=100.0, help="of each part on the host [GB]")
    parser.add_argument("--out", type=Path)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
