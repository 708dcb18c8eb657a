"""Networks that were trained apart, asked together: their mean is the answer, their spread says where they guess."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from functools import partial
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

    def encode(self, tokens: Float[np.ndarray, "problems n features"]) -> Encoded:
        """What is kept of problems; with it fields anywhere are cheap."""
        found = []
        for member in self.members:
            each = [_encode(*nnx.split(member), jnp.asarray(one, jnp.float32)) for one in tokens]
            found.append(jax.tree.map(lambda *leaves: jnp.stack(leaves), *each))
        return Encoded(tuple(found))

    def predict(
        self,
        encoded: Encoded,
        coefficients: Float[np.ndarray, "cases problems bases"],
        queries: Queries,
        *,
        surface: bool = True,
    ) -> Prediction:
        """Fields of all loads of each case together, at queries with features (problems, k, features).

        Fields of unit loads are summed in double precision: twice the load is exactly twice the answer.
        """
        weights = np.asarray(coefficients, np.float64)
        total = np.zeros((len(self.members), len(weights), len(queries.near), self.size.channels))
        for rows in _chunks(len(queries.near)):
            count = len(queries.near[rows])
            padded = min(bucket(count, _SMALLEST, _GROWTH), _LARGEST)
            for index, (member, latents) in enumerate(zip(self.members, encoded.latents, strict=True)):
                parts = nnx.split(member)
                for problem in np.flatnonzero(weights.any(axis=(0, 2))):
                    asked = [queries.features[problem, rows], *(each[rows] for each in queries[1:])]
                    these = Queries(*(_padded(np.asarray(each), padded) for each in asked))
                    of = jax.tree.map(lambda leaf, at=problem: leaf[at], latents)
                    units = np.asarray(_decode(*parts, of, these, surface=surface))[:count]
                    factors = weights[:, problem]
                    acting = np.flatnonzero(factors.any(axis=0))
                    fields = units[:, acting].astype(np.float64)
                    total[index, :, rows] += np.einsum(
                        "kbc,ab->akc", fields, factors[:, acting], optimize=True
                    )
        return Prediction(total)

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


def _chunks(count: int) -> Iterator[slice]:
    for start in range(0, count, _LARGEST):
        yield slice(start, min(start + _LARGEST, count))


def _padded(rows: NDArray[Any], count: int) -> NDArray[Any]:
    return np.concatenate([rows, np.zeros((count - len(rows), *rows.shape[1:]), rows.dtype)])
