"""What every command shares: its options, which server it talks to, and how it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import typer

from twin.cli.output import Output, choose
from twin.errors import AlreadyExists, InvalidInput, NotFound, TwinError
from twin.sdk.client import Client, connect, local

FAILED: Final = 1
WRONG_INPUT: Final = 2

Server = Annotated[
    str | None,
    typer.Option(
        envvar="TWIN_SERVER",
        help="host:port, or unix:/path of a socket. Without it the command starts a server of its own.",
    ),
]
Insecure = Annotated[bool, typer.Option("--insecure", help="Talk in plaintext to another machine.")]
Json = Annotated[
    bool, typer.Option("--json", help="JSON lines, as always when the output is not a terminal.")
]


@contextmanager
def reporting(json: bool) -> Iterator[Output]:
    """Where a command speaks.

    An error is shown in one block; the command ends with 2 for wrong input, else 1.
    """
    output = choose(json)
    try:
        yield output
    except TwinError as error:
        output.error(error)
        wrong = isinstance(error, InvalidInput | NotFound | AlreadyExists)
        raise typer.Exit(WRONG_INPUT if wrong else FAILED) from None
    except BrokenPipeError:
        # The reader (head, less) has seen enough; nothing that is written at exit may complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(FAILED) from None


def open_client(server: str | None, insecure: bool) -> Client:
    """The server that was named, else an embedded one."""
    if server is None:
        return local()
    return connect(server, token=os.environ.get("TWIN_TOKEN"), insecure=insecure)
