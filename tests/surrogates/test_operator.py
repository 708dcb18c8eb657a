"""What the structure of the networks promises, whatever they have learned."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
import pytest
from flax import nnx

from surrogates import ensemble as ensembles
from surrogates.elasticity import BASES, Hold, Problem
from surrogates.ensemble import Ensemble
from surrogates.mixers import MIXERS, MixerName
from surrogates.operator import Operator, Queries
from tests.surrogates.beams import SIZE, end, problem


def two(mixer: MixerName = "latent_routing") -> Ensemble:
    size = dataclasses.replace(SIZE, mixer=mixer)
    return Ensemble(size, tuple(Operator(size, nnx.Rngs(seed)) for seed in (0, 1)))


def asked(of: Problem, count: int = 200) -> Queries:
    cloud = of.cloud
    found = of.queries(
        cloud.points[:count], cloud.normals[:count], cloud.seen[:count], np.zeros(count), SIZE.tokens
    )
    return found._replace(features=np.asarray(found.features)[None])


@pytest.mark.parametrize("mixer", list(MIXERS))
def test_answers_are_linear_in_the_loads(mixer: MixerName) -> None:
    of, networks = problem(0.2, 0.3), two(mixer)
    encoded = networks.encode(of.tokens(SIZE.tokens)[None])
    loads = np.random.default_rng(0).normal(size=(2, 1, len(BASES)))
    queries = asked(of)
    one, other = networks.predict(encoded, loads, queries).mean
    twice = networks.predict(encoded, 2 * loads, queries).mean[0]
    both = networks.predict(encoded, loads.sum(axis=0, keepdims=True), queries).mean[0]
    assert np.array_equal(twice, 2 * one)
    assert both == pytest.approx(one + other, rel=1e-10, abs=1e-12 * np.abs(both).max())
    assert np.abs(one).max() > 0


def test_what_is_held_does_not_move() -> None:
    whole = problem(0.2, 0.3)
    roller = Problem(whole.cloud, (Hold(end(0.0, 0.2, 0.3), (True, False, False)),), end(1.0, 0.2, 0.3), 0.3)
    networks = two()
    loads = np.ones((1, 1, len(BASES)))
    points, normals = end(0.0, 0.2, 0.3).points, end(0.0, 0.2, 0.3).normals
    assert normals == pytest.approx(np.tile([-1.0, 0.0, 0.0], (len(points), 1)))
    for of, free in ((whole, []), (roller, [1, 2])):
        seen = of.cloud.look(points, normals)
        queries = of.queries(points, normals, seen, np.zeros(len(points)), SIZE.tokens)
        queries = queries._replace(features=np.asarray(queries.features)[None])
        encoded = networks.encode(of.tokens(SIZE.tokens)[None])
        scale = np.abs(networks.predict(encoded, loads, asked(of)).mean[..., :3]).max()
        found = networks.predict(encoded, loads, queries).mean[0]
        held = [axis for axis in range(3) if axis not in free]
        assert np.abs(found[:, held]).max() < 1e-9 * scale
        assert all(np.abs(found[:, axis]).max() > 0 for axis in free)


def test_a_thousand_sizes_share_a_handful_of_programs() -> None:
    of, networks = problem(0.2, 0.3), two()
    encoded = networks.encode(of.tokens(SIZE.tokens)[None])
    loads = np.ones((1, 1, len(BASES)))
    every = asked(of, 4096)
    cut = lambda count: Queries(every.features[:, :count], *(each[:count] for each in every[1:]))  # noqa: E731
    for warm in (1, 1025, 2049):
        networks.predict(encoded, loads, cut(warm))
    known = ensembles._decode._cache_size()
    for count in np.random.default_rng(0).integers(1, 4097, 40):
        found = networks.predict(encoded, loads, cut(count)).mean
        assert found.shape == (1, count, SIZE.channels)
    assert ensembles._decode._cache_size() == known


def test_padding_changes_nothing() -> None:
    of, networks = problem(0.2, 0.3), two()
    encoded = networks.encode(of.tokens(SIZE.tokens)[None])
    loads = np.ones((1, 1, len(BASES)))
    few, many = asked(of, 100), asked(of, 1500)
    alone = networks.predict(encoded, loads, few).mean
    among = networks.predict(encoded, loads, many).mean[:, :100]
    assert alone == pytest.approx(among, rel=1e-4, abs=1e-5 * np.abs(among).max())


def test_networks_survive_being_written() -> None:
    of, networks = problem(0.2, 0.3), two()
    again = Ensemble.load(networks.dump())
    loads, queries = np.ones((1, 1, len(BASES))), asked(of)
    tokens = of.tokens(SIZE.tokens)[None]
    found = [each.predict(each.encode(tokens), loads, queries).members for each in (networks, again)]
    assert np.array_equal(*found)
    assert again.size == networks.size
    assert jax.tree.structure(nnx.state(again.members[0])) == jax.tree.structure(
        nnx.state(networks.members[0])
    )
