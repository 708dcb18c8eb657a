"""The command `twin`: every command is listed here."""

from __future__ import annotations

from typing import Annotated

import typer

from twin.cli import demo, imports, library, runs, serve, solve, surrogates, sweep

app = typer.Typer(
    name="twin",
    help="Send a CAD part and a question; get an answer with an error bound.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"twin {version('twin')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    """Simulation of industrial parts."""


for command in (
    demo.demo,
    solve.upload,
    solve.solve,
    runs.runs,
    runs.watch,
    runs.cancel,
    sweep.sweep,
    surrogates.train,
    surrogates.improve,
    surrogates.surrogates,
    surrogates.predict,
    library.materials,
    serve.serve,
    library.doctor,
):
    app.command()(command)
app.command("import")(imports.import_)
app.add_typer(sweep.sweeps, name="sweeps")
