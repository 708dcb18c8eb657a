"""`twin import`: answers of other codes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twin.cli import study_file
from twin.cli.session import Insecure, Json, Server, open_client, reporting
from twin.cli.solve import Outputs, Unit, finish, known_outputs
from twin.errors import InvalidInput
from twin.studies import StaticStress


def import_(
    part: Annotated[str, typer.Argument(help="A part's file, or geometries/... of one that was uploaded.")],
    answer: Annotated[
        list[str],
        typer.Argument(
            help="Mesh with fields at its nodes (.vtu, .vtk, .vtp, .npz); or one for each load case, as case=file."
        ),
    ],
    study: Annotated[Path, typer.Option(help="Study file (TOML) that it answers.")],
    error: Annotated[str, typer.Option(help="Relative error of its numbers, as you know it: 0.03 or 3%.")],
    code: Annotated[str, typer.Option(help="What has found it, such as 'CalculiX 2.21'.")],
    displacement: Annotated[str, typer.Option(help="What the field is called.")] = "displacement",
    stress: Annotated[str, typer.Option(help="What the field is called.")] = "stress",
    length_unit: Annotated[str, typer.Option(help="Of points and displacement.")] = "m",
    stress_unit: Annotated[str, typer.Option(help="Of stress.")] = "Pa",
    unit: Unit = "mm",
    out: Outputs = None,
    server: Server = None,
    insecure: Insecure = False,
    json: Json = False,
) -> None:
    """Take an answer of another code as a run, which surrogates learn from."""
    with reporting(json) as output:
        outputs = known_outputs(out or ())
        asked = study_file.read(study)
        if not isinstance(asked.study, StaticStress) or asked.shape:
            raise InvalidInput("answers are imported of static stress, of a part that is not deformed first")
        with open_client(server, insecure) as client:
            seen = client.part(part) if part.startswith("geometries/") else client.upload(part, unit=unit)
            output.part(seen)
            run = client.import_result(
                seen, asked.study, _files(answer), error, code,
                fields={"displacement": displacement, "stress": stress},
                length_unit=length_unit, stress_unit=stress_unit,
            )  # fmt: skip
            finish(output, run, outputs, abandon=server is None)


def _files(given: list[str]) -> str | dict[str, str]:
    if len(given) == 1 and "=" not in given[0]:
        return given[0]
    files = dict(each.split("=", 1) for each in given if "=" in each)
    if len(files) != len(given):
        raise InvalidInput("give one file, or one for each load case as case=file")
    return files
