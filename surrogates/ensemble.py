"""Networks that were trained apart, asked together: their mean is the answer, their spread says where they guess."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, Final, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx, serialization
from jaxtyping import Array, Float
from numpy.typing import NDArray

from solvers.buckets import bucket
from surrogates.operator import Latents, Operator, Queries, Size

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
_SMALLEST: Final = 1024  # of the buckets of queries
_LARGEST: Final = 16384  # queries that are decoded at once
_GROWTH: Final = 2.0


class Prediction(NamedTuple):
    """members (m, cases, k, channels): the fields of each network."""

    members: Floats

    @property
    def mean(self) -> Floats:
        """(cases, k, channels)."""
        return np.asarray(self.members.mean(axis=0))

    def spread(self, groups: Sequence[int]) -> Floats:
        """Standard deviation of each group of channels, as the length of a vector (cases, k, groups)."""
        variance = self.members.var(axis=0, ddof=1 if len(self.members) > 1 else 0)
        return np.sqrt(np.add.reduceat(variance, np.cumsum([0, *groups[:-1]]), axis=-1))


class Units(NamedTuple):
    """Fields of unit loads at the same points, by problem (bases, m, k, channels)."""

    by_problem: Mapping[int, Floats32]

    def of(
        self, coefficients: Float[np.ndarray, "cases problems bases"], shape: tuple[int, int]
    ) -> Prediction:
        """Fields of all loads of each case together; shape: numbers of networks and of channels.

        They are summed in double precision: twice the load is exactly twice the answer.
        """
        weights = np.asarray(coefficients, np.float64)
        count = next((each.shape[2] for each in self.by_problem.values()), 0)
        total = np.zeros((len(weights), shape[0], count, shape[1]))
        for problem, units in self.by_problem.items():
            factors = weights[:, problem]
            cases, acting = (np.flatnonzero(factors.any(axis=axis)) for axis in (1, 0))
            fields = units[acting].astype(np.float64).reshape(len(acting), -1)
            total[cases] += (factors[np.ix_(cases, acting)] @ fields).reshape(-1, *total.shape[1:])
        return Prediction(total.swapaxes(0, 1))


class Encoded(NamedTuple):
    """Problems that the networks have seen: one set of latents for each network, each of all problems."""

    latents: tuple[Latents, ...]

    @property
    def summary(self) -> Floats:
        """One vector for each problem (problems, networks * width): the means of the latents."""
        means = [np.asarray(each.latents.mean(axis=1), np.float64) for each in self.latents]
        return np.concatenate(means, axis=1)


@dataclasses.dataclass(frozen=True, eq=False)
class Ensemble:
    """Networks of one size. Programs are kept for one size and a few numbers of queries, whatever is asked."""

    size: Size
    members: tuple[Operator, ...]

    @cached_property
    def _parts(self) -> list[tuple[Any, Any]]:
        """Of each network its structure and its numbers."""
        return [nnx.split(member) for member in self.members]

    def encode(self, tokens: Float[np.ndarray, "problems n features"]) -> Encoded:
        """What is kept of problems; with it fields anywhere are cheap."""
        found = []
        for parts in self._parts:
            each = [_encode(*parts, jnp.asarray(one, jnp.float32)) for one in tokens]
            found.append(jax.tree.map(lambda *leaves: jnp.stack(leaves), *each))
        return Encoded(tuple(found))

    def units(
        self, encoded: Encoded, queries: Queries, problems: Collection[int], *, surface: bool = True
    ) -> Units:
        """Fields of unit loads of some of the problems, at queries with features (all problems, k, features)."""
        parts = [self._units(encoded, some, problems, surface) for some in _chunks(queries)]
        return Units({
            problem: np.concatenate([part.by_problem[problem] for part in parts], axis=2) for problem in problems
        })  # fmt: skip

    def _units(self, encoded: Encoded, queries: Queries, problems: Collection[int], surface: bool) -> Units:
        """Of no more queries than are decoded at once; they are padded to one of a few numbers."""
        found: dict[int, list[Floats32]] = {problem: [] for problem in problems}
        count = len(queries.near)
        padded = bucket(count, _SMALLEST, _GROWTH)
        beside = [_padded(np.asarray(each), padded) for each in queries[1:]]
        for problem in problems:
            these = Queries(_padded(np.asarray(queries.features[problem]), padded), *beside)
            for parts, latents in zip(self._parts, encoded.latents, strict=True):
                of = jax.tree.map(lambda leaf, at=problem: leaf[at], latents)
                decoded = np.asarray(_decode(*parts, of, these, surface=surface))[:count]
                found[problem].append(decoded.swapaxes(0, 1))
        return Units({problem: np.stack(each, axis=1) for problem, each in found.items()})

    def predict(
        self,
        encoded: Encoded,
        coefficients: Float[np.ndarray, "cases problems bases"],
        queries: Queries,
        *,
        surface: bool = True,
    ) -> Prediction:
        """Fields of all loads of each case together, at queries with features (problems, k, features)."""
        acting = np.flatnonzero(np.asarray(coefficients).any(axis=(0, 2))).tolist()
        shape = len(self.members), len(coefficients), 0, self.size.channels
        found = [np.zeros(shape)]
        for some in _chunks(queries):
            units = self._units(encoded, some, acting, surface)
            found.append(units.of(coefficients, shape[::3]).members)
        return Prediction(np.concatenate(found, axis=2))

    def dump(self) -> bytes:
        """As bytes, for `load`."""
        states = {str(i): nnx.to_pure_dict(nnx.state(member)) for i, member in enumerate(self.members)}
        size = {**dataclasses.asdict(self.size), "groups": list(self.size.groups)}
        written: bytes = serialization.msgpack_serialize({"size": size, "members": jax.device_get(states)})
        return written

    @staticmethod
    def load(data: bytes) -> Ensemble:
        """What `dump` wrote. Raises ValueError, KeyError or TypeError for anything else."""
        record = serialization.msgpack_restore(data)
        size = Size(**{**record["size"], "groups": tuple(record["size"]["groups"])})
        graph, shapes = nnx.split(nnx.eval_shape(lambda: Operator(size, nnx.Rngs(0))))
        wanted = jax.tree.leaves(nnx.to_pure_dict(shapes))
        members = []
        for index in range(len(record["members"])):
            numbers = record["members"][str(index)]
            found = jax.tree.leaves(numbers)
            if [leaf.shape for leaf in found] != [leaf.shape for leaf in wanted]:
                raise ValueError("the numbers of a network are not as many as its size says")
            if not all(np.isfinite(leaf).all() for leaf in found):
                raise ValueError("a network has numbers that are not finite")
            state = jax.tree.map(lambda leaf: leaf, shapes)
            nnx.replace_by_pure_dict(state, jax.tree.map(jnp.asarray, numbers))
            members.append(nnx.merge(graph, state))
        if not members:
            raise ValueError("there is no network in it")
        return Ensemble(size, tuple(members))


@jax.jit
def _encode(graph: Any, state: Any, tokens: Float[Array, "n features"]) -> Latents:
    return nnx.merge(graph, state).encode(tokens)


@partial(jax.jit, static_argnames="surface")
def _decode(graph: Any, state: Any, of: Latents, queries: Queries, *, surface: bool) -> Float[Array, "k b c"]:
    return nnx.merge(graph, state).decode(of, queries, surface=surface)


def _chunks(queries: Queries) -> Iterator[Queries]:
    """At least one."""
    for start in range(0, max(len(queries.near), 1), _LARGEST):
        rows = slice(start, start + _LARGEST)
        yield Queries(queries.features[:, rows], *(each[rows] for each in queries[1:]))


def _padded(rows: NDArray[Any], count: int) -> NDArray[Any]:
    return np.concatenate([rows, np.zeros((count - len(rows), *rows.shape[1:]), rows.dtype)])
