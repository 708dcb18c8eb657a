"""What users ask of a part. What needs no geometry is refused here.

static_stress.py, heat_conduction.py   studies of parts: what holds, what acts
external_flow.py, internal_flow.py   studies of what flows round them, and through them
bodies.py    what single bodies are made of
gradient.py  how the number of an answer changes
shape.py     how a part is deformed first
request.py   how a study is to be answered
training.py  what a surrogate is made of
words.py     what all studies check of what they are given
"""

from twin.studies.bodies import Body
from twin.studies.external_flow import ExternalFlow, Ground, Rotating
from twin.studies.gradient import DIFFERENTIABLE, GradientOf, Wrt
from twin.studies.heat_conduction import (
    THERMAL_LOADS,
    THERMAL_SUPPORTS,
    Convection,
    HeatConduction,
    HeatFlow,
    HeatFlux,
    HeatSource,
    Temperature,
    ThermalLoad,
    ThermalSupport,
)
from twin.studies.internal_flow import Inlet, InletProfile, InternalFlow, Outlet
from twin.studies.request import (
    DEFAULT_ACCURACY,
    DEFAULT_COVERAGE,
    Discretisation,
    Imported,
    Method,
    Preview,
    Request,
)
from twin.studies.shape import FreeForm
from twin.studies.static_stress import (
    LOADS,
    SUPPORTS,
    Centrifugal,
    Coupling,
    Displacement,
    ElasticFoundation,
    Fixed,
    Force,
    FoundationDirection,
    Gravity,
    Load,
    Pressure,
    RemoteForce,
    Roller,
    StaticStress,
    Support,
    Symmetry,
    Traction,
)
from twin.studies.training import Training
from twin.studies.words import DEFAULT_CASE

PartStudy = StaticStress | HeatConduction
"""What is asked of the inside of a part: supports, loads, a field in it."""
FlowStudy = ExternalFlow | InternalFlow
"""What is asked of a fluid that a part is in the way of, or holds."""
Study = PartStudy | FlowStudy
Question = Study | GradientOf | Training
"""What a run can be asked."""

__all__ = [
    "DEFAULT_ACCURACY",
    "DEFAULT_CASE",
    "DEFAULT_COVERAGE",
    "DIFFERENTIABLE",
    "LOADS",
    "SUPPORTS",
    "THERMAL_LOADS",
    "THERMAL_SUPPORTS",
    "Body",
    "Centrifugal",
    "Convection",
    "Coupling",
    "Discretisation",
    "Displacement",
    "ElasticFoundation",
    "ExternalFlow",
    "Fixed",
    "FlowStudy",
    "Force",
    "FoundationDirection",
    "FreeForm",
    "GradientOf",
    "Gravity",
    "Ground",
    "HeatConduction",
    "HeatFlow",
    "HeatFlux",
    "HeatSource",
    "Imported",
    "Inlet",
    "InletProfile",
    "InternalFlow",
    "Load",
    "Method",
    "Outlet",
    "PartStudy",
    "Pressure",
    "Preview",
    "Question",
    "RemoteForce",
    "Request",
    "Roller",
    "Rotating",
    "StaticStress",
    "Study",
    "Support",
    "Symmetry",
    "Temperature",
    "ThermalLoad",
    "ThermalSupport",
    "Traction",
    "Training",
    "Wrt",
]
