"""Parts that a function builds for each design of a sweep, where the client is."""

from __future__ import annotations

import inspect
import runpy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from twin.errors import GeometryError, InvalidInput

BUILD: Final = "build"
"""The function in a file of Python that `twin sweep` calls."""


@final
@dataclass(frozen=True)
class Script:
    """A part that depends on parameters.

    build: called with those parameters of the sweep that it names, numbers in SI and words of choices; it returns the
    path of a file, or a solid of build123d, CadQuery or NETGEN, or a mesh of trimesh. What it raises makes the design
    INFEASIBLE. unit: of lengths in what it returns
    """

    build: Callable[..., Any]
    unit: str = "mm"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters that the part depends on. Raises InvalidInput for a function that can't be called by them."""
        found = []
        for name, parameter in inspect.signature(self.build).parameters.items():
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise InvalidInput(
                    f"a script is called with parameters by their names; it can't take *{name}"
                )
            found.append(name)
        if not found:
            raise InvalidInput("the function of a script takes no parameter: upload what it builds as a part")
        return tuple(found)

    def write(self, values: dict[str, float | str], folder: Path) -> Path:
        """Build the part; the file that it is in. Raises GeometryError where what comes out is none."""
        made = self.build(**values)
        if isinstance(made, str | Path):
            path = Path(made)
            if not path.is_file():
                raise GeometryError(f"the script returned {path}, which is no file")
            return path
        path = folder / "part.step"
        match type(made).__module__.partition(".")[0]:
            case "build123d":
                import build123d

                build123d.export_step(made, str(path))
            case "cadquery":
                import cadquery

                cadquery.exporters.export(made, str(path))
            case "netgen":
                made.WriteStep(str(path))
            case "trimesh":
                path = folder / "part.stl"
                made.export(str(path))
            case _:
                raise GeometryError(
                    f"the script returned {type(made).__name__}: it has to be the path of a file, or a solid of "
                    "build123d, CadQuery or NETGEN, or a mesh of trimesh"
                )
        return path


def read(path: Path, unit: str) -> Script:
    """The script in a file of Python. Raises InvalidInput where it has no function `build`."""
    if not path.is_file():
        raise InvalidInput(f"there is no script {path}")
    build = runpy.run_path(str(path)).get(BUILD)
    if not callable(build):
        raise InvalidInput(f"{path} has no function {BUILD}(...), which takes parameters and returns a part")
    return Script(build, unit)
