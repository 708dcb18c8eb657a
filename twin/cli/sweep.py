"""`twin sweep`, `twin sweeps`: one question, asked of many designs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from twin.cli import study_file, sweep_file
from twin.cli.output import Output
from twin.cli.session import FAILED, Insecure, Json, Server, open_client, reporting
from twin.cli.solve import Unit
from twin.errors import InvalidInput
from twin.geometry import script
from twin.geometry.script import Script, ServerScript
from twin.sdk.client import Client
from twin.sdk.part import Part
from twin.sdk.sweep import Sweep
from twin.sweeps.sampling import Factorial, Sampling
from twin.sweeps.table import SUFFIXES

OUT: Final = (*SUFFIXES, ".html")
_PARTS: Final = (".stl", ".step", ".stp", ".obj", ".ply", ".off", ".glb", ".gltf", ".3mf")

Outputs = Annotated[
    list[Path] | None,
    typer.Option("--out", help=f"File to write, by its suffix ({', '.join(OUT)}); may be repeated."),
]
Name = Annotated[str, typer.Argument(help="sweeps/..., as `twin sweeps list` has it.")]
By = Annotated[
    Path | None, typer.Option("--script", help="The script that builds its parts, where one does.")
]

sweeps = typer.Typer(no_args_is_help=True, help="Sweeps that were started: list, watch, steer them.")


def sweep(
    parts: Annotated[
        list[str],
        typer.Argument(
            help="A part's file, geometries/...; several, or a folder: a parameter 'part'; or a script.py."
        ),
    ],
    study: Annotated[Path, typer.Option(help="Study file (TOML) with [parameters] and [sampling].")],
    accuracy: Annotated[
        str | None, typer.Option(help="Relative error wished for, such as 0.05 or 5%.")
    ] = None,
    discretisation: Annotated[str | None, typer.Option(help="auto, grid or tet.")] = None,
    max_seconds: Annotated[
        str | None, typer.Option(help="Longest time for a design, such as 90 or '2 min'.")
    ] = None,
    max_unknowns: Annotated[int | None, typer.Option(help="Largest number of unknowns.")] = None,
    keep_fields: Annotated[
        bool, typer.Option("--keep-fields", help="Keep the fields of all designs.")
    ] = False,
    name: Annotated[str, typer.Option(help="A name to find it by.")] = "",
    unit: Unit = "mm",
    out: Outputs = None,
    on_server: Annotated[
        bool, typer.Option("--on-server", help="The service runs the script, where its operator allows that.")
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Don't wait for the designs.")] = False,
    server: Server = None,
    insecure: Insecure = False,
    json: Json = False,
) -> None:
    """Ask one question of many designs: progress, a table, and the files asked for."""
    options: dict[str, Any] = {
        "accuracy": accuracy,
        "discretisation": discretisation,
        "max_seconds": max_seconds,
        "max_unknowns": max_unknowns,
    }
    with reporting(json) as output:
        outputs = _known(out or ())
        given = {name: value for name, value in options.items() if value is not None}
        asked = sweep_file.read(study, given)
        if detach and server is None:
            raise InvalidInput(
                "--detach needs a server that goes on: name it with --server, or start `twin serve`"
            )
        scripted = len(parts) == 1 and parts[0].endswith(".py")
        if on_server and not scripted:
            raise InvalidInput("--on-server is of a script.py: name it in place of the part")
        part: Part | list[Part] | Script | ServerScript | None = None
        if scripted:
            part = (ServerScript.read if on_server else script.read)(Path(parts[0]), unit)
        if detach and scripted and not on_server:
            raise InvalidInput(
                "--detach and a script don't go together: the command is what builds the parts, unless --on-server"
            )
        files = [] if scripted else _files(parts)
        with open_client(server, insecure) as client:
            if part is None:
                uploaded = [_part(client, output, path, unit) for path in files]
                part = uploaded[0] if len(uploaded) == 1 else uploaded
            started = client.sweep(
                part,
                asked.study,
                asked.parameters,
                _samplings(asked, len(files)),
                constraints=asked.constraints,
                shape=asked.shape,
                preview=asked.preview,
                keep_fields=keep_fields,
                name=name or study.stem,
                **{word: getattr(asked.request, word) for word in study_file.REQUEST_WORDS},
            )
            if detach:
                output.sweeps([started.info()])
            else:
                _finish(output, started, outputs, hold=server is None)


@sweeps.command("list")
def list_sweeps(
    limit: Annotated[int, typer.Option(min=1, help="Most sweeps to list.")] = 20,
    server: Server = None,
    insecure: Insecure = False,
    json: Json = False,
) -> None:
    """List sweeps, newest first."""
    with reporting(json) as output, open_client(server, insecure) as client:
        output.sweeps(list(islice(client.sweeps(), limit)))


@sweeps.command()
def watch(
    name: Name,
    by: By = None,
    unit: Unit = "mm",
    out: Outputs = None,
    server: Server = None,
    insecure: Insecure = False,
    json: Json = False,
) -> None:
    """Follow a sweep to its end, and write files."""
    _steer(name, lambda found: found.info(), out, server, insecure, json, by, unit)


@sweeps.command()
def export(
    name: Name, out: Outputs = None, server: Server = None, insecure: Insecure = False, json: Json = False
) -> None:
    """Write what a sweep has found by now."""
    with reporting(json) as output:
        outputs = _known(out or ())
        with open_client(server, insecure) as client:
            _write(output, client.find_sweep(name), outputs)


@sweeps.command()
def pause(name: Name, server: Server = None, insecure: Insecure = False, json: Json = False) -> None:
    """Compute no further designs until it is resumed."""
    with reporting(json) as output, open_client(server, insecure) as client:
        output.sweeps([client.find_sweep(name).pause()])


@sweeps.command()
def resume(
    name: Name,
    by: By = None,
    unit: Unit = "mm",
    out: Outputs = None,
    server: Server = None,
    insecure: Insecure = False,
    json: Json = False,
) -> None:
    """Go on with a sweep that was paused or cancelled, and follow it."""
    _steer(name, lambda found: found.resume(), out, server, insecure, json, by, unit)


@sweeps.command()
def retry(
    name: Name,
    by: By = None,
    unit: Unit = "mm",
    out: Outputs = None,
    server: Server = None,
    insecure: Insecure = False,
    json: Json = False,
) -> None:
    """Compute the designs once more that failed or were cancelled, and follow them."""
    _steer(name, lambda found: found.retry(), out, server, insecure, json, by, unit)


@sweeps.command()
def extend(
    name: Name,
    count: Annotated[int, typer.Argument(min=1, help="How many designs more, as the sampling goes on.")],
    by: By = None,
    unit: Unit = "mm",
    out: Outputs = None,
    server: Server = None,
    insecure: Insecure = False,
    json: Json = False,
) -> None:
    """Ask for more designs, and follow them."""
    _steer(name, lambda found: found.extend(count), out, server, insecure, json, by, unit)


@sweeps.command()
def cancel(name: Name, server: Server = None, insecure: Insecure = False, json: Json = False) -> None:
    """Stop a sweep with what it computes. Designs that have ended stay."""
    with reporting(json) as output, open_client(server, insecure) as client:
        output.sweeps([client.find_sweep(name).cancel()])


@sweeps.command()
def delete(name: Name, server: Server = None, insecure: Insecure = False, json: Json = False) -> None:
    """Delete a sweep with its results."""
    with reporting(json) as output, open_client(server, insecure) as client:
        client.find_sweep(name).delete()
        output.note(f"{name} is deleted")


def _steer(
    name: str,
    act: Callable[[Sweep], object],
    out: Sequence[Path] | None,
    server: str | None,
    insecure: bool,
    json: bool,
    by: Path | None = None,
    unit: str = "mm",
) -> None:
    """Do something with a sweep, follow it to its end and write files. by: the script that builds its parts."""
    with reporting(json) as output:
        outputs = _known(out or ())
        built = None if by is None else script.read(by, unit)
        with open_client(server, insecure) as client:
            found = client.find_sweep(name, built)
            act(found)
            _finish(output, found, outputs, hold=server is None)


def _finish(output: Output, sweep: Sweep, outputs: Sequence[Path], *, hold: bool) -> None:
    """Follow a sweep to its end. hold: whether Ctrl-C pauses it, since the server ends with the command."""
    try:
        output.follow_sweep(sweep)
    except KeyboardInterrupt:
        if hold:
            sweep.pause()
            output.note(f"{sweep.name} is paused: `twin sweeps resume {sweep.name}` goes on")
        else:
            output.note(f"{sweep.name} goes on: `twin sweeps watch {sweep.name}`, pause or cancel")
        raise typer.Exit(FAILED) from None
    _write(output, sweep, outputs)


def _write(output: Output, sweep: Sweep, outputs: Sequence[Path]) -> None:
    table = sweep.table()
    output.table(table)
    for path in outputs:
        if path.suffix.lower() == ".html":
            sweep.report(path)
        else:
            table.save(path)
        output.wrote(path)


def _known(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The same paths. Raises InvalidInput for one that couldn't be written, before anything is computed."""
    for path in paths:
        if path.suffix.lower() not in OUT:
            raise InvalidInput(
                f"a sweep can't be written as {path.name}: the suffix has to be one of {', '.join(OUT)}"
            )
        if not path.absolute().parent.is_dir():
            raise InvalidInput(f"{path} can't be written: there is no folder {path.parent}")
    return tuple(paths)


def _files(parts: Sequence[str]) -> list[str]:
    """Files and names, with folders opened."""
    found = []
    for part in parts:
        if not part.startswith("geometries/") and Path(part).is_dir():
            inside = sorted(str(path) for path in Path(part).iterdir() if path.suffix.lower() in _PARTS)
            if not inside:
                raise InvalidInput(f"there is no part in the folder {part}: none of {', '.join(_PARTS)}")
            found += inside
        else:
            found.append(part)
    return found


def _part(client: Client, output: Output, part: str, unit: str) -> Part:
    found = client.part(part) if part.startswith("geometries/") else client.upload(part, unit=unit)
    output.part(found)
    return found


def _samplings(asked: sweep_file.SweepFile, parts: int) -> tuple[Sampling, ...]:
    if asked.samplings:
        return asked.samplings
    if asked.parameters or parts <= 1:
        raise InvalidInput('the study file needs [sampling], such as type = "Sobol" and count = 64')
    return (Factorial(),)  # of parts alone: each
