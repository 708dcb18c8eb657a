"""Who takes part, and how to get them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

JAX_FEM = "TWIN_BENCH_JAX_FEM"  # variable: the Python of an environment that has JAX-FEM (GPL: never in ours)


def _modules(*names: str) -> Callable[[], bool]:
    return lambda: all(importlib.util.find_spec(name) for name in names)


def _own_python() -> str:
    return sys.executable


def _jax_fem_python() -> str:
    return os.environ.get(JAX_FEM, "")


@dataclass(frozen=True)
class Contender:
    """One line of the table, or several: ours are measured cold, warm and hot.

    module: of `peers`; method: handed to its `run`; present: is it installed?; get: how to get it
    python: the interpreter that it runs in; parts: how many parts of a size it is given
    direct: solves to round-off, so that others can be compared with it
    """

    key: str
    title: str
    module: str
    method: str
    present: Callable[[], bool]
    get: str
    python: Callable[[], str] = _own_python
    parts: int = 1
    direct: bool = False


_BENCH = "pip install -e '.[bench]'"

# In the order in which they are measured: the first fills the compile cache that the second finds.
CONTENDERS: tuple[Contender, ...] = (
    Contender("cold", "twin", "ours", "cold", lambda: True, ""),
    Contender("warm", "twin", "ours", "warm", lambda: True, "", parts=2),
    Contender("grid", "twin, grid", "grid", "grid", lambda: True, ""),
    Contender(
        "pardiso",
        "scikit-fem + PARDISO (Cholesky)",
        "scikit_fem",
        "pardiso",
        _modules("skfem", "pypardiso"),
        _BENCH,
        direct=True,
    ),
    Contender(
        "pyamg", "scikit-fem + PyAMG (energy, CG)", "scikit_fem", "pyamg", _modules("skfem", "pyamg"), _BENCH
    ),
    Contender(
        "spooles",
        "CalculiX, SPOOLES",
        "calculix",
        "spooles",
        lambda: shutil.which("ccx") is not None,
        "apt-get install calculix-ccx",
        direct=True,
    ),
    Contender(
        "cholesky",
        "CalculiX, iterative Cholesky",
        "calculix",
        "cholesky",
        lambda: shutil.which("ccx") is not None,
        "apt-get install calculix-ccx",
    ),
    Contender(
        "jax-fem",
        "JAX-FEM, BiCGSTAB + ILU of PETSc",
        "jax_fem",
        "bcgsl-ilu",
        lambda: Path(_jax_fem_python()).is_file(),
        f"an environment of its own with jax-fem and petsc4py (GPL); {JAX_FEM}=<its python>",
        python=_jax_fem_python,
    ),
)

BY_KEY = {contender.key: contender for contender in CONTENDERS}
