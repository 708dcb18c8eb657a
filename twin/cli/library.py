"""`twin materials`, `twin doctor`: what there is to work with."""

from __future__ import annotations

from typing import Annotated

import typer

from twin import materials as library
from twin.cli.doctor import examine
from twin.cli.session import FAILED, Json, reporting


def materials(
    words: Annotated[list[str] | None, typer.Argument(help="Only materials with one of these words.")] = None,
    json: Json = False,
) -> None:
    """List the material library."""
    with reporting(json) as output:
        found = {
            name: library.material(name)
            for name in library.names()
            if not words or any(word.lower() in name.lower() for word in words)
        }
        output.materials(found)


def doctor(json: Json = False) -> None:
    """Say what this machine offers twin, what is wrong with it and how to mend that."""
    with reporting(json) as output:
        findings = examine()
        output.findings(findings)
    if any(finding.verdict == "wrong" for finding in findings):
        raise typer.Exit(FAILED)
