"""Generate the Python stubs of the contract: `python -m protos.generate [folder]`.

protoc runs from the repository's root: descriptors and imports read `protos/twin/v1/...`. With a folder the
stubs are written there instead of beside the protos (a test compares the two).
"""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
THIRD_PARTY = ROOT / "protos" / "third_party"


def _protoc(*arguments: str) -> None:
    from grpc_tools import protoc

    well_known = str(files("grpc_tools") / "_proto")
    # The plugins lie beside the interpreter, also where that folder is not on PATH.
    plugins = [
        f"--plugin={name}={Path(sys.executable).parent / name}"
        for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")
    ]
    if protoc.main(["protoc", *plugins, *arguments, f"-I{well_known}"]) != 0:
        raise SystemExit("protoc failed; its messages are above")


def generate(root: Path = ROOT) -> None:
    """Write the stubs of every proto of ours, and of buf/validate, below `root`."""
    third_party = root / "protos" / "third_party"
    third_party.mkdir(parents=True, exist_ok=True)
    _protoc(
        f"-I{ROOT}",
        f"-I{THIRD_PARTY}",
        f"--python_out={root}",
        f"--mypy_out=readable_stubs,quiet:{root}",
        f"--grpc_python_out={root}",
        f"--mypy_grpc_out=quiet:{root}",
        *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "protos" / "twin").rglob("*.proto")),
    )
    # google/* has its stubs in googleapis-common-protos; buf/validate has none in any package.
    _protoc(
        f"-I{THIRD_PARTY}",
        f"--python_out={third_party}",
        f"--pyi_out={third_party}",
        "buf/validate/validate.proto",
    )
    # protoc writes a service stub for every file; one without services says nothing.
    for path in (root / "protos" / "twin").rglob("*_pb2_grpc.py*"):
        if "Stub" not in path.read_text(encoding="utf-8"):
            path.unlink()


if __name__ == "__main__":
    generate(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT)
