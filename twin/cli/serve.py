"""`twin serve`: the service, in the foreground."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from twin.cli.session import Json, reporting
from twin.errors import InvalidInput


def serve(
    listen: Annotated[str | None, typer.Option(help="127.0.0.1:50051, or unix:/path of a socket.")] = None,
    home: Annotated[Path | None, typer.Option(help="Folder of runs, parts and caches.")] = None,
    devices: Annotated[str | None, typer.Option(help='"auto", "cpu", or CUDA devices such as "0,1".')] = None,
    cluster: Annotated[
        str | None, typer.Option(help='Ray cluster whose nodes compute: "host:port" of its head, or "auto".')
    ] = None,
    scripts: Annotated[
        bool | None,
        typer.Option("--scripts", help="Let scripts of users build parts here, within bubblewrap."),
    ] = None,
    lifeline: Annotated[Path | None, typer.Option(hidden=True)] = None,
    json: Json = False,
) -> None:
    """Serve until SIGTERM or Ctrl-C. Every setting has a variable TWIN_...; options win over them."""
    if lifeline is not None:
        # First of all: whoever started us waits for this sign of life.
        from twin.sdk.lifeline import guard

        guard(lifeline)
    given: dict[str, Any] = {"listen": listen, "home": home, "devices": devices, "cluster": cluster}
    given["scripts"] = scripts
    with reporting(json) as output:
        from pydantic import ValidationError

        from twin.service.app import serve as run_service
        from twin.service.settings import Settings

        try:
            settings = Settings(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            raise InvalidInput(
                "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            ) from None
        try:
            asyncio.run(run_service(settings, lambda address: output.serving(address, settings.home)))
        finally:
            if lifeline is not None:
                shutil.rmtree(lifeline.parent, ignore_errors=True)
