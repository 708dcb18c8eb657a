"""twin: simulation of industrial parts as a service.

    client = twin.local()
    part = client.upload("bracket.step", unit="mm")
    run = client.simulate(part, twin.StaticStress("Ti-6Al-4V", supports=[...], loads=[...]))
    print(run.result().quantities["max_von_mises"])

Names are looked up when they are first used, so that `import twin` costs little.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from twin import materials as materials
    from twin import select as select
    from twin.errors import AlreadyExists as AlreadyExists
    from twin.errors import Cancelled as Cancelled
    from twin.errors import DeadlineExceeded as DeadlineExceeded
    from twin.errors import FailedPrecondition as FailedPrecondition
    from twin.errors import GeometryError as GeometryError
    from twin.errors import Internal as Internal
    from twin.errors import InvalidInput as InvalidInput
    from twin.errors import MaterialError as MaterialError
    from twin.errors import MeshingFailed as MeshingFailed
    from twin.errors import NotFound as NotFound
    from twin.errors import ResourceExhausted as ResourceExhausted
    from twin.errors import SelectionError as SelectionError
    from twin.errors import SolveFailed as SolveFailed
    from twin.errors import StudyError as StudyError
    from twin.errors import TwinError as TwinError
    from twin.errors import Unavailable as Unavailable
    from twin.errors import UnconstrainedError as UnconstrainedError
    from twin.errors import UnitError as UnitError
    from twin.geometry.script import Script as Script
    from twin.geometry.script import ServerScript as ServerScript
    from twin.materials import Fluid as Fluid
    from twin.materials import Material as Material
    from twin.quantities import Field as Field
    from twin.quantities import Quantity as Quantity
    from twin.results.gradient import Gradient as Gradient
    from twin.sdk import aio as aio
    from twin.sdk.aio.sweep import Design as Design
    from twin.sdk.client import Client as Client
    from twin.sdk.client import connect as connect
    from twin.sdk.client import local as local
    from twin.sdk.part import Part as Part
    from twin.sdk.result import Result as Result
    from twin.sdk.run import Run as Run
    from twin.sdk.surrogate import Surrogate as Surrogate
    from twin.sdk.sweep import Sweep as Sweep
    from twin.sdk.update import RunInfo as RunInfo
    from twin.sdk.update import Update as Update
    from twin.studies import Body as Body
    from twin.studies import Centrifugal as Centrifugal
    from twin.studies import Convection as Convection
    from twin.studies import Displacement as Displacement
    from twin.studies import ElasticFoundation as ElasticFoundation
    from twin.studies import ExternalFlow as ExternalFlow
    from twin.studies import Fixed as Fixed
    from twin.studies import Force as Force
    from twin.studies import FreeForm as FreeForm
    from twin.studies import Gravity as Gravity
    from twin.studies import Ground as Ground
    from twin.studies import HeatConduction as HeatConduction
    from twin.studies import HeatFlow as HeatFlow
    from twin.studies import HeatFlux as HeatFlux
    from twin.studies import HeatSource as HeatSource
    from twin.studies import Inlet as Inlet
    from twin.studies import InternalFlow as InternalFlow
    from twin.studies import Outlet as Outlet
    from twin.studies import Pressure as Pressure
    from twin.studies import Preview as Preview
    from twin.studies import RemoteForce as RemoteForce
    from twin.studies import Roller as Roller
    from twin.studies import Rotating as Rotating
    from twin.studies import StaticStress as StaticStress
    from twin.studies import Symmetry as Symmetry
    from twin.studies import Temperature as Temperature
    from twin.studies import Traction as Traction
    from twin.sweeps.parameters import Choice as Choice
    from twin.sweeps.parameters import Integers as Integers
    from twin.sweeps.parameters import Levels as Levels
    from twin.sweeps.parameters import Range as Range
    from twin.sweeps.sampling import Factorial as Factorial
    from twin.sweeps.sampling import LatinHypercube as LatinHypercube
    from twin.sweeps.sampling import Points as Points
    from twin.sweeps.sequences import Halton as Halton
    from twin.sweeps.sequences import Sobol as Sobol
    from twin.sweeps.sequential import Adaptive as Adaptive
    from twin.sweeps.sequential import Bayesian as Bayesian
    from twin.sweeps.sequential import Descent as Descent
    from twin.sweeps.sequential import Evolution as Evolution
    from twin.sweeps.sequential import Verification as Verification

# The same once more for the interpreter; a test holds the two together. The module of each name:
_MODULES: Final = {"aio": "twin.sdk.aio", "materials": "twin.materials", "select": "twin.select"}
_NAMES: Final = {
    "twin.errors": (
        "AlreadyExists", "Cancelled", "DeadlineExceeded", "FailedPrecondition", "GeometryError", "Internal",
        "InvalidInput", "MaterialError", "MeshingFailed", "NotFound", "ResourceExhausted", "SelectionError",
        "SolveFailed", "StudyError", "TwinError", "Unavailable", "UnconstrainedError", "UnitError",
    ),
    "twin.materials": ("Fluid", "Material"),
    "twin.quantities": ("Field", "Quantity"),
    "twin.results.gradient": ("Gradient",),
    "twin.sdk.client": ("Client", "connect", "local"),
    "twin.sdk.part": ("Part",),
    "twin.sdk.result": ("Result",),
    "twin.sdk.run": ("Run",),
    "twin.sdk.aio.sweep": ("Design",),
    "twin.geometry.script": ("Script", "ServerScript"),
    "twin.sdk.surrogate": ("Surrogate",),
    "twin.sdk.sweep": ("Sweep",),
    "twin.sdk.update": ("RunInfo", "Update"),
    "twin.studies": (
        "Body", "Centrifugal", "Convection", "Displacement", "ElasticFoundation", "ExternalFlow", "Fixed", "Force",
        "FreeForm", "Gravity", "Ground", "HeatConduction", "HeatFlow", "HeatFlux", "HeatSource", "Inlet",
        "InternalFlow", "Outlet", "Pressure", "Preview", "RemoteForce", "Roller", "Rotating", "StaticStress",
        "Symmetry", "Temperature", "Traction",
    ),
    "twin.sweeps.parameters": ("Choice", "Integers", "Levels", "Range"),
    "twin.sweeps.sampling": ("Factorial", "LatinHypercube", "Points"),
    "twin.sweeps.sequential": ("Adaptive", "Bayesian", "Descent", "Evolution", "Verification"),
    "twin.sweeps.sequences": ("Halton", "Sobol"),
}  # fmt: skip
_HOME: Final = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [*sorted((*_HOME, *_MODULES))]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        value: Any = import_module(_MODULES[name])
    elif name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    else:
        raise AttributeError(f"module 'twin' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
