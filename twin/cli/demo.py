"""`twin demo`: a real part, a question and two answers, the solver's and a surrogate's, in the current folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from twin.cli import study_file
from twin.cli.output import Output
from twin.cli.session import Json, open_client, reporting
from twin.cli.solve import finish, start
from twin.errors import Internal, NotFound
from twin.results import surrogate_file
from twin.sdk.client import Client

_OUTPUTS: Final = ("stress.png", "bracket.vtu", "report.html")
_SURROGATE: Final = "demo-brackets"
SHIPPED: Final = Path(__file__).with_name("bracket-family.npz")  # what examples/bracket_family.py makes


def demo(
    folder: Annotated[Path, typer.Option("--in", help="Folder to write into.")] = Path(),
    json: Json = False,
) -> None:
    """Make a bracket, solve it, ask a surrogate too, and write stress.png, bracket.vtu, report.html, comparison.png."""
    with reporting(json) as output:
        examples = _examples()
        folder.mkdir(parents=True, exist_ok=True)
        part_file = folder / "bracket.step"
        output.note(_make_part(examples / "bracket.py", part_file))
        asked = study_file.read(examples / "study.toml")
        with open_client(None, insecure=False) as client:
            part = client.upload(part_file, unit="mm")
            output.part(part)
            outputs = [folder / name for name in _OUTPUTS]
            solved = finish(output, start(client, part, asked), outputs, abandon=True)
            options = {"method": "surrogate", "surrogate": _shipped(client, output)}
            by_surrogate = study_file.read(examples / "study.toml", options)
            predicted = finish(output, start(client, part, by_surrogate), [], abandon=True)
            output.wrote(solved.compare(predicted, folder / "comparison.png"))


def _shipped(client: Client, output: Output) -> str:
    """The version of the surrogate that ships with this package, loaded once for a home."""
    card, _ = surrogate_file.read(SHIPPED)
    try:
        found = client.surrogate(_SURROGATE)
    except NotFound:
        known = []
    else:
        known = [version for version, each in found.cards.items() if each == card]
    if known:
        return f"{found.name}/versions/{known[0]}"
    run = client.load_surrogate(SHIPPED, _SURROGATE)
    output.follow(run)
    loaded = run.surrogate()
    return f"{loaded.name}/versions/{loaded.current}"


def _examples() -> Path:
    """The examples of the source tree that this package runs from, or of the one we stand in."""
    for root in (Path(__file__).resolve().parents[2], Path.cwd()):
        if (root / "examples" / "bracket.py").is_file():
            return root / "examples"
    raise NotFound(
        "the demo makes its part with examples/bracket.py of twin's source tree, which is not here: run it "
        "in a clone, or solve a part of your own with `twin solve part.step --study study.toml`"
    )


def _make_part(script: Path, path: Path) -> str:
    # In a process of its own: the CAD kernel is not loaded into the one that talks to the server.
    done = subprocess.run(
        [sys.executable, str(script), str(path)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0 or not path.is_file():
        raise Internal(f"{script} ended with status {done.returncode}:\n{done.stderr.strip()[-2000:]}")
    return done.stdout.strip()
