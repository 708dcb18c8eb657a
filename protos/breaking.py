"""The contract may grow but not break: `python -m protos.breaking [--freeze]`.

Compares the protos with `twin.v1.binpb`, the contract as last frozen, by the rules of buf.yaml. --freeze then
takes what was added into that file, so that it can't be broken either. A file beside the protos rather than a
branch: it works in any clone, and a break that slipped in stays visible.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FROZEN = ROOT / "protos" / "twin.v1.binpb"


def buf(*arguments: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the buf that lies beside the interpreter."""
    command = [str(Path(sys.executable).parent / "buf"), *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def image(path: Path, root: Path = ROOT) -> None:
    """Compile the protos below `root` into one file of descriptors."""
    built = buf("build", "--path", "protos/twin", "--exclude-source-info", "-o", str(path), root=root)
    if built.returncode:
        raise SystemExit(built.stdout + built.stderr)


def violations(current: Path, frozen: Path = FROZEN) -> str:
    """What `current` breaks of `frozen`, a line each; "" for nothing."""
    compared = buf("breaking", str(current), "--against", str(frozen), "--exclude-imports")
    return (compared.stdout + compared.stderr).strip() if compared.returncode else ""


def main(freeze: bool) -> None:
    """Exit with the breaks, if there are any; else freeze if asked to."""
    with tempfile.TemporaryDirectory() as folder:
        current = Path(folder) / "current.binpb"
        image(current)
        broken = violations(current) if FROZEN.exists() else ""
        if broken:
            raise SystemExit(
                f"{broken}\nThe contract of twin.v1 is broken. Add fields instead, or begin twin.v2."
            )
        if freeze:
            FROZEN.write_bytes(current.read_bytes())


if __name__ == "__main__":
    main("--freeze" in sys.argv[1:])
