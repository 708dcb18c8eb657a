"""`twin train`, `twin surrogates`, `twin predict`: models that learn from runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from twin.cli import study_file
from twin.cli.session import Insecure, Json, Server, open_client, reporting
from twin.cli.solve import Outputs, Unit, finish, known_outputs, start
from twin.errors import InvalidInput
from twin.geometry.script import read as read_script

Name = Annotated[str, typer.Argument(help="Name of the surrogate, such as bracket.")]


def train(
    name: Name,
    data: Annotated[
        list[str] | None,
        typer.Argument(help="What it learns from: sweeps/... that keep fields, and runs/..."),
    ] = None,
    networks: Annotated[int, typer.Option(min=1, help="How many are trained apart.")] = 3,
    steps: Annotated[int, typer.Option(min=1, help="Of each network.")] = 6000,
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn by chance.")] = 0,
    begin: Annotated[
        str, typer.Option("--start", help="A surrogate of other parts, which is made to fit.")
    ] = "",
    escalated: Annotated[
        bool,
        typer.Option("--escalated", help="Also from runs that it was asked of first, and that were solved."),
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Don't wait for the end.")] = False,
    server: Server = None,
    insecure: Insecure = False,
    json: Json = False,
) -> None:
    """Train a new version of a surrogate on finished runs, and show its model card."""
    with reporting(json) as output:
        if detach and server is None:
            raise InvalidInput(
                "--detach needs a server that goes on: name it with --server, or start `twin serve`"
            )
        with open_client(server, insecure) as client:
            run = client.train(name, data or (), networks, steps, seed, start=begin, escalated=escalated)
            if detach:
                output.runs([run.info()])
                return
            try:
                output.follow(run)
            except KeyboardInterrupt:
                if server is None:
                    run.cancel()
                raise typer.Exit(1) from None
            output.surrogate(run.surrogate())


def improve(
    name: Name,
    sweep: Annotated[str, typer.Argument(help="sweeps/..., which it was trained on.")],
    designs: Annotated[int, typer.Option(min=1, help="How many more.")] = 20,
    script: Annotated[Path | None, typer.Option(help="What builds its parts, if one does.")] = None,
    server: Server = None,
    insecure: Insecure = False,
    json: Json = False,
) -> None:
    """Extend a sweep by the designs that a surrogate would learn most of, and wait for them."""
    with reporting(json) as output, open_client(server, insecure) as client:
        built = None if script is None else read_script(script, "mm")
        output.follow_sweep(client.improve(name, client.find_sweep(sweep, built), designs))


def surrogates(
    name: Annotated[str | None, typer.Argument(help="One of them; all without.")] = None,
    use: Annotated[int | None, typer.Option(min=1, help="Make that version the current one.")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete it, or the version of --version.")] = False,
    version: Annotated[int | None, typer.Option(min=1, help="Of --delete and --save.")] = None,
    save: Annotated[Path | None, typer.Option(help="Write it to a file (.npz).")] = None,
    load: Annotated[Path | None, typer.Option(help="Make a new version of it from such a file.")] = None,
    server: Server = None,
    insecure: Insecure = False,
    json: Json = False,
) -> None:
    """List surrogates, show the model cards of one, roll it back, save, load or delete it."""
    with reporting(json) as output, open_client(server, insecure) as client:
        if name is None:
            if use or delete or version or save or load:
                raise InvalidInput("name the surrogate: twin surrogates bracket --use 1")
            output.surrogates(list(client.surrogates()))
            return
        if load is not None:
            run = client.load_surrogate(load, name)
            output.follow(run)
            run.surrogate()
        found = client.surrogate(name)
        if save is not None:
            output.wrote(found.save(save, version))
            return
        if use is not None:
            found.use(use)
        if delete:
            found.delete(version)
            output.note(f"{found.name} is deleted" if version is None else f"version {version} is deleted")
        else:
            output.surrogate(found)


def predict(
    part: Annotated[str, typer.Argument(help="A part's file, or geometries/... of one that was uploaded.")],
    study: Annotated[Path, typer.Option(help="Study file (TOML).")],
    surrogate: Annotated[str, typer.Option(help="Which one: bracket, or surrogates/bracket/versions/2.")],
    coverage: Annotated[float, typer.Option(help="Share of parts that its bounds are to hold for.")] = 0.9,
    unit: Unit = "mm",
    out: Outputs = None,
    server: Server = None,
    insecure: Insecure = False,
    json: Json = False,
) -> None:
    """Answer a study by a surrogate alone: quantities with their bounds, and the files asked for."""
    options: dict[str, Any] = {"method": "surrogate", "surrogate": surrogate, "coverage": coverage}
    with reporting(json) as output:
        outputs = known_outputs(out or ())
        asked = study_file.read(study, options)
        with open_client(server, insecure) as client:
            seen = client.part(part) if part.startswith("geometries/") else client.upload(part, unit=unit)
            output.part(seen)
            finish(output, start(client, seen, asked), outputs, abandon=server is None)
