"""Any study, for hypothesis."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from twin import select
from twin.materials import Fluid, Material
from twin.results.card import Coverage, ModelCard, Split
from twin.select import Selector
from twin.studies import (
    Body,
    Centrifugal,
    Convection,
    Displacement,
    ElasticFoundation,
    ExternalFlow,
    Fixed,
    Force,
    GradientOf,
    Gravity,
    Ground,
    HeatConduction,
    HeatFlow,
    HeatFlux,
    HeatSource,
    Imported,
    Inlet,
    InternalFlow,
    Load,
    Outlet,
    Pressure,
    Question,
    RemoteForce,
    Request,
    Rotating,
    StaticStress,
    Support,
    Symmetry,
    Temperature,
    ThermalLoad,
    ThermalSupport,
    Traction,
    Training,
)

numbers = st.floats(-1e12, 1e12)
positive = st.floats(1e-9, 1e12)
vectors = st.tuples(numbers, numbers, numbers)
directions = vectors.filter(any)
names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", fullmatch=True)
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=60)


@st.composite
def _boxes(draw: st.DrawFn) -> Selector:
    low = draw(vectors)
    return select.box(low, tuple(c + draw(st.floats(1e3, 1e9)) for c in low))


selectors: st.SearchStrategy[Selector] = st.recursive(
    st.one_of(
        st.builds(select.plane, vectors, directions, st.none() | positive),
        _boxes(),
        st.builds(select.sphere, vectors, positive),
        st.builds(select.cylinder, vectors, directions, positive, st.none() | positive),
        st.builds(select.facing, directions, st.floats(1e-6, math.pi)),
        st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=8).map(select.patch),
        st.builds(select.group, words),
        st.just(select.all()),
    ),
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a: ~a, inner),
    ),
    max_leaves=6,
)

materials: st.SearchStrategy[Material] = st.builds(
    Material,
    positive,
    st.floats(-0.99, 0.499),
    positive,
    yield_strength=st.none() | positive,
    thermal_conductivity=st.none() | positive,
    specific_heat=st.none() | positive,
    thermal_expansion=st.none() | numbers,
    name=st.none() | words,
    source=st.none() | words,
)

supports: st.SearchStrategy[Support] = st.one_of(
    st.builds(Fixed, selectors),
    st.builds(Symmetry, selectors),
    st.builds(Displacement, selectors, x=numbers, y=st.none() | numbers, z=st.none() | numbers),
    st.builds(ElasticFoundation, selectors, positive, st.sampled_from(["normal", "all"])),
)

loads: st.SearchStrategy[Load] = st.one_of(
    st.builds(Force, vectors, selectors),
    st.builds(Traction, vectors, selectors),
    st.builds(Pressure, numbers, selectors),
    st.builds(Gravity, vectors),
    st.builds(Centrifugal, directions, vectors, numbers),
    st.builds(RemoteForce, vectors, vectors, selectors, vectors, st.sampled_from(["distributing", "rigid"])),
)

bodies: st.SearchStrategy[Body] = st.builds(Body, selectors, materials)
conducting = materials.filter(lambda material: material.thermal_conductivity is not None)

static_stress: st.SearchStrategy[StaticStress] = st.builds(
    StaticStress,
    materials,
    st.lists(supports, min_size=1, max_size=3),
    load_cases=st.dictionaries(names, st.lists(loads, min_size=1, max_size=3), min_size=1, max_size=3),
    bodies=st.lists(bodies, max_size=2),
)

temperatures = st.floats(0, 1e6)

thermal_supports: st.SearchStrategy[ThermalSupport] = st.one_of(
    st.builds(Temperature, temperatures, selectors), st.builds(Convection, positive, temperatures, selectors)
)

thermal_loads: st.SearchStrategy[ThermalLoad] = st.one_of(
    st.builds(HeatFlux, numbers, selectors),
    st.builds(HeatFlow, numbers, selectors),
    st.builds(HeatSource, numbers),
)

heat_conduction: st.SearchStrategy[HeatConduction] = st.builds(
    HeatConduction,
    conducting,
    st.lists(thermal_supports, min_size=1, max_size=3),
    load_cases=st.dictionaries(names, st.lists(thermal_loads, max_size=3), min_size=1, max_size=3),
    bodies=st.lists(st.builds(Body, selectors, conducting), max_size=2),
)

gradients: st.SearchStrategy[GradientOf] = st.builds(
    GradientOf,
    st.from_regex(r"runs/[a-z0-9]{1,16}", fullmatch=True),
    names,
    st.sampled_from(["mass", "max_von_mises"]),
    st.sampled_from(["loads", "material", "shape"]),
)

trainings = st.builds(
    Training,
    st.from_regex("surrogates/[a-z0-9][a-z0-9-]{0,20}", fullmatch=True),
    st.lists(st.sampled_from(["runs/a", "runs/b-2"]), min_size=1, unique=True),
    st.lists(st.just("sweeps/c"), unique=True),
    st.integers(1, 16),
    st.integers(1, 10_000_000),
    st.integers(0, 2**31 - 1),
) | st.builds(Training, st.just("surrogates/a"), saved=st.from_regex("sha256:[0-9a-f]{64}", fullmatch=True))

fluids: st.SearchStrategy[Fluid] = st.builds(
    Fluid, positive, positive, st.none() | positive, st.none() | words
)

external_flow: st.SearchStrategy[ExternalFlow] = st.builds(
    ExternalFlow,
    st.tuples(positive, st.just(0.0), st.just(0.0)),
    fluids,
    st.tuples(st.just(0.0), numbers, positive),
    st.none() | st.builds(Ground, st.none() | numbers, st.booleans()),
    st.none() | positive,
    st.none() | positive,
    st.lists(st.builds(Rotating, vectors.filter(any), vectors, numbers, selectors), max_size=2),
)

openings = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
profiles = st.sampled_from(["developed", "uniform"])
inlets = st.builds(Inlet, selectors, positive, profile=profiles) | st.builds(
    Inlet, selectors, flow_rate=positive, profile=profiles
)
internal_flow: st.SearchStrategy[InternalFlow] = st.builds(
    InternalFlow,
    st.dictionaries(openings.map("in_{}".format), inlets, min_size=1, max_size=3),
    st.dictionaries(
        openings.map("out_{}".format), st.builds(Outlet, selectors, numbers), min_size=1, max_size=3
    ),
    fluids,
)

studies: st.SearchStrategy[Question] = st.one_of(
    static_stress, heat_conduction, external_flow, internal_flow, gradients, trainings
)

_shares = st.floats(0, 1)
_bounds = st.floats(0, allow_nan=False)
_levels = st.lists(st.builds(Coverage, _shares, _shares, _shares, _shares, _bounds), max_size=4).map(tuple)
_sizes = st.tuples(st.integers(0, 10_000), st.integers(0, 10_000))
cards = st.builds(
    ModelCard,
    study=st.just("static_stress"),
    data=st.just("sha256:0"),
    split=st.builds(Split, _sizes, _sizes, _sizes),
    metrics=st.dictionaries(st.just("stress, relative L2"), st.floats(-1e9, 1e9)),
    coverage=st.dictionaries(st.sampled_from(["stress", "compliance"]), _levels),
    strangers=_shares,
    accuracy=st.dictionaries(st.sampled_from(["compliance"]), _bounds),
    networks=st.integers(1, 16),
    parameters=st.integers(0, 2**40),
    steps=st.integers(1, 10**7),
    seconds=st.floats(0, 1e7),
    versions=st.dictionaries(st.just("jax"), st.just("0.10")),
    start=st.sampled_from(["", "surrogates/b/versions/3"]),
    solver_seconds=st.none() | st.floats(0, 1e7),
    warnings=st.lists(st.just("few parts")).map(tuple),
)

requests: st.SearchStrategy[Request] = (
    st.builds(
        Request,
        st.floats(1e-6, 1),
        st.sampled_from(["auto", "solver", "surrogate"]),
        st.sampled_from(["auto", "tet", "grid"]),
        st.none() | st.sets(st.sampled_from(["mass", "max_von_mises", "frequency_1"]), min_size=1).map(tuple),
        st.none() | positive,
        st.none() | st.integers(1, 2**62),
        coverage=st.floats(0.01, 0.99),
    )
    | st.builds(
        Request,
        method=st.sampled_from(["auto", "surrogate"]),
        surrogate=st.sampled_from(["surrogates/bracket", "surrogates/bracket/versions/12"]),
    )
    | st.builds(
        Request,
        imported=st.builds(
            Imported, st.just(f"sha256:{'0' * 64}"), st.floats(1e-6, 1), st.sampled_from(["Code 1", "x"])
        ),
    )
)
