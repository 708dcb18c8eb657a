"""Parts that a function builds for each design of a sweep: where the client is, or in the service."""

from __future__ import annotations

import ast
import inspect
import runpy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
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


@final
@dataclass(frozen=True)
class ServerScript:
    """A part that the service builds, where its operator allows that: the sweep goes on while no client is there.

    source: Python with a function `build`, as of Script, which finds what is installed there; it runs within walls,
    with limits for each of its processes, without a network, and sees no data but its own. unit: of lengths in what it
    returns
    """

    source: str
    unit: str = "mm"

    @staticmethod
    def read(path: str | Path, unit: str = "mm") -> ServerScript:
        """The script in a file. Raises InvalidInput where there is none."""
        try:
            return ServerScript(Path(path).read_text(encoding="utf-8"), unit)
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(f"the script {path} can't be read: {error}") from None

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The parameters that the part depends on. Raises InvalidInput for what is no such script."""
        try:
            body = ast.parse(self.source).body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise InvalidInput(f"the script is no Python: {error}") from None
        for statement in reversed(body):
            if isinstance(statement, ast.FunctionDef) and statement.name == BUILD:
                taken = statement.args
                if taken.posonlyargs or taken.vararg or taken.kwarg or not (taken.args or taken.kwonlyargs):
                    raise InvalidInput(f"{BUILD} is called with parameters by their names, at least one")
                return tuple(argument.arg for argument in (*taken.args, *taken.kwonlyargs))
        raise InvalidInput(
            f"the script has no function {BUILD}(...), which takes parameters and returns a part"
        )


def read(path: Path, unit: str) -> Script:
    """The script in a file of Python. Raises InvalidInput where it has no function `build`."""
    if not path.is_file():
        raise InvalidInput(f"there is no script {path}")
    build = runpy.run_path(str(path)).get(BUILD)
    if not callable(build):
        raise InvalidInput(f"{path} has no function {BUILD}(...), which takes parameters and returns a part")
    return Script(build, unit)
