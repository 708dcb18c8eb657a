"""`twin upload`, `twin solve`: from a file to an answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from twin.cli import study_file
from twin.cli.output import Output
from twin.cli.session import FAILED, Insecure, Json, Server, open_client, reporting
from twin.errors import InvalidInput
from twin.sdk.client import Client
from twin.sdk.part import Part
from twin.sdk.result import SUFFIXES, Result
from twin.sdk.run import Run

Unit = Annotated[str, typer.Option(help="Unit of lengths in files that name none: um, mm, cm, m, in, ft.")]
Outputs = Annotated[
    list[Path] | None,
    typer.Option("--out", help=f"File to write, by its suffix ({', '.join(SUFFIXES)}); may be repeated."),
]


def upload(
    file: Annotated[Path, typer.Argument(help="STL, STEP, OBJ or PLY file.")],
    unit: Unit = "mm",
    server: Server = None,
    insecure: Insecure = False,
    json: Json = False,
) -> None:
    """Send a part and say what was found in it."""
    with reporting(json) as output, open_client(server, insecure) as client:
        output.part(client.upload(file, unit=unit))


def solve(
    part: Annotated[str, typer.Argument(help="A part's file, or geometries/... of one that was uploaded.")],
    study: Annotated[Path, typer.Option(help="Study file (TOML).")],
    accuracy: Annotated[
        str | None, typer.Option(help="Relative error wished for, such as 0.05 or 5%.")
    ] = None,
    method: Annotated[str | None, typer.Option(help="auto, solver or surrogate.")] = None,
    surrogate: Annotated[
        str | None, typer.Option(help="Asked before the solver, or instead of it (see --method).")
    ] = None,
    discretisation: Annotated[str | None, typer.Option(help="auto, grid or tet.")] = None,
    max_seconds: Annotated[
        str | None, typer.Option(help="Longest time to compute, such as 90 or '2 min'.")
    ] = None,
    max_unknowns: Annotated[int | None, typer.Option(help="Largest number of unknowns.")] = None,
    unit: Unit = "mm",
    out: Outputs = None,
    detach: Annotated[bool, typer.Option("--detach", help="Don't wait for the answer.")] = False,
    server: Server = None,
    insecure: Insecure = False,
    json: Json = False,
) -> None:
    """Solve a study of a part: progress, quantities with their errors, and the files asked for."""
    options: dict[str, Any] = {
        "accuracy": accuracy,
        "method": method,
        "surrogate": surrogate,
        "discretisation": discretisation,
        "max_seconds": max_seconds,
        "max_unknowns": max_unknowns,
    }
    with reporting(json) as output:
        outputs = known_outputs(out or ())
        asked = study_file.read(study, {name: value for name, value in options.items() if value is not None})
        if detach and server is None:
            raise InvalidInput(
                "--detach needs a server that goes on: name it with --server, or start `twin serve`"
            )
        with open_client(server, insecure) as client:
            solved = client.part(part) if part.startswith("geometries/") else client.upload(part, unit=unit)
            output.part(solved)
            run = start(client, solved, asked)
            if detach:
                output.runs([run.info()])
            else:
                finish(output, run, outputs, abandon=server is None)


def start(client: Client, part: Part, asked: study_file.StudyFile) -> Run:
    """The run of a study file."""
    request = asked.request
    return client.simulate(
        part, asked.study, accuracy=request.accuracy, method=request.method,
        discretisation=request.discretisation, quantities=request.quantities,
        max_seconds=request.max_seconds, max_unknowns=request.max_unknowns, surrogate=request.surrogate,
        coverage=request.coverage, shape=asked.shape,
    )  # fmt: skip


def finish(output: Output, run: Run, outputs: Sequence[Path], *, abandon: bool) -> Result:
    """Follow a run to its end, show its result and write files.

    abandon: whether Ctrl-C cancels the run (the server that computes it ends with the command) or leaves it
    running.
    """
    try:
        output.follow(run)
    except KeyboardInterrupt:
        if abandon:
            run.cancel()
            output.note(f"{run.name} is cancelled")
        else:
            output.note(f"{run.name} goes on: `twin watch {run.name}` or `twin cancel {run.name}`")
        raise typer.Exit(FAILED) from None
    result = run.result()
    output.result(result)
    for path in outputs:
        write(result, path)
        output.wrote(path)
    return result


def known_outputs(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The same paths. Raises InvalidInput for one that couldn't be written, before anything is computed."""
    for path in paths:
        if path.suffix.lower() not in SUFFIXES:
            raise InvalidInput(
                f"twin can't write {path.name}: the suffix has to be one of {', '.join(SUFFIXES)}"
            )
        if not path.absolute().parent.is_dir():
            raise InvalidInput(f"{path} can't be written: there is no folder {path.parent}")
    return tuple(paths)


def write(result: Result, path: Path) -> None:
    """A picture, a report or data, by the suffix."""
    match path.suffix.lower():
        case ".png":
            result.plot(path)
        case ".html":
            result.report(path)
        case _:
            result.save(path)
