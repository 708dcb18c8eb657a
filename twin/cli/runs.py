"""`twin runs`, `twin watch`, `twin cancel`: runs that were started."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, cast, get_args

import typer

from twin.cli.session import Insecure, Json, Server, open_client, reporting
from twin.cli.solve import Outputs, finish, known_outputs
from twin.errors import InvalidInput
from twin.sdk.update import RunState

Name = Annotated[str, typer.Argument(help="runs/..., as `twin runs` lists it.")]


def runs(
    limit: Annotated[int, typer.Option(min=1, help="Most runs to list.")] = 20,
    state: Annotated[
        list[str] | None, typer.Option(help="Only PENDING, RUNNING, SUCCEEDED, ...; may be repeated.")
    ] = None,
    server: Server = None,
    insecure: Insecure = False,
    json: Json = False,
) -> None:
    """List runs, newest first."""
    with reporting(json) as output, open_client(server, insecure) as client:
        output.runs(list(islice(client.runs([_state(word) for word in state or ()]), limit)))


def watch(
    name: Name,
    out: Outputs = None,
    server: Server = None,
    insecure: Insecure = False,
    json: Json = False,
) -> None:
    """Follow a run to its end, and show its result."""
    with reporting(json) as output:
        outputs = known_outputs(out or ())
        with open_client(server, insecure) as client:
            finish(output, client.run(name), outputs, abandon=False)


def cancel(name: Name, server: Server = None, insecure: Insecure = False, json: Json = False) -> None:
    """Stop a run."""
    with reporting(json) as output, open_client(server, insecure) as client:
        run = client.run(name)
        run.cancel()
        output.runs([run.info()])


def _state(word: str) -> RunState:
    for state in get_args(RunState):
        if word.upper() == state:
            return cast(RunState, state)
    raise InvalidInput(f"{word!r} is no state of a run: they are {', '.join(get_args(RunState))}")
