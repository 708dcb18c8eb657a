"""From points of a part to the fields that unit loads make, anywhere on it and in it.

    tokens -> encoder: blocks of mixing -> latents, which are all that is kept of a part
    queries, latents -> decoder of the surface or of the volume -> one field for each unit load

A problem is linear in its loads, and so is this: fields of unit loads are learned, and what was asked is their sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, Int

from surrogates.mixers import MIXERS, MixerName, split

FOURIER: Final = 3  # octaves by which positions are told
LOCAL: Final = 8  # nearest tokens that a query takes over


@dataclass(frozen=True)
class Size:
    """How large a network is. features: of a point; bases: unit loads; channels: of a field, in groups of one scale."""

    features: int
    bases: int
    groups: tuple[int, ...]
    mixer: MixerName = "latent_routing"
    tokens: int = 512
    width: int = 64
    heads: int = 4
    latents: int = 32
    depth: int = 4
    decoder_depth: int = 2

    @property
    def channels(self) -> int:
        return sum(self.groups)


class Queries(NamedTuple):
    """Where fields are asked for. features (k, features), of which the first three are the position;

    near (k, LOCAL): nearest tokens, and their weights; clamp (k, channels): what fields are multiplied by
    """

    features: Float[Array | np.ndarray, "k features"]
    near: Int[Array | np.ndarray, "k local"]
    weights: Float[Array | np.ndarray, "k local"]
    clamp: Float[Array | np.ndarray, "k channels"]


class Latents(NamedTuple):
    """What the decoders need of a problem. magnitude (bases, groups): natural logarithms of the sizes of its fields."""

    tokens: Float[Array, "n width"]
    latents: Float[Array, "m width"]
    magnitude: Float[Array, "bases groups"]


class Operator(nnx.Module):
    """One network; unbatched, to be mapped."""

    def __init__(self, size: Size, rngs: nnx.Rngs) -> None:
        self.size: Final = size
        width = size.width
        self.lift = _Lift(size, rngs)
        self.encoder = nnx.List([_Mixing(size, rngs) for _ in range(size.depth)])
        self.gather = _Reading(size, rngs)
        self.seeds = nnx.Param(jax.random.normal(rngs.params(), (size.latents, width)))
        self.surface = _Decoder(size, rngs)
        self.volume = _Decoder(size, rngs)
        self.magnitude = nnx.Linear(
            width, size.bases * len(size.groups), kernel_init=nnx.initializers.zeros, rngs=rngs
        )

    def encode(self, tokens: Float[Array, "n features"]) -> Latents:
        """What is kept of a problem."""
        x = self.lift(tokens)
        for block in self.encoder:
            x = block(x)
        latents = self.gather(self.seeds[...], x)
        magnitude = self.magnitude(latents.mean(axis=0)).reshape(self.size.bases, -1)
        return Latents(x, latents, jnp.clip(magnitude, -8.0, 8.0))

    def decode(
        self, of: Latents, queries: Queries, *, surface: bool = True
    ) -> Float[Array, "k bases channels"]:
        """Fields of all unit loads."""
        decoder = self.surface if surface else self.volume
        x = self.lift(jnp.asarray(queries.features)) + jnp.einsum(
            "kj,kjw->kw", queries.weights, of.tokens[queries.near]
        )
        fields = decoder(x, of.latents).reshape(len(x), self.size.bases, self.size.channels)
        widths = jnp.asarray(self.size.groups)
        sizes = jnp.repeat(jnp.exp(of.magnitude), widths, axis=1, total_repeat_length=self.size.channels)
        return fields * sizes * queries.clamp[:, None]


class Statistic(nnx.Variable[jax.Array]):
    """Of the training data, not trained."""


class _Lift(nnx.Module):
    """Features, as they differ in the training data, into tokens; positions by waves too."""

    def __init__(self, size: Size, rngs: nnx.Rngs) -> None:
        self.mean = Statistic(jnp.zeros(size.features))
        self.deviation = Statistic(jnp.ones(size.features))
        self.first = nnx.Linear(size.features + 6 * FOURIER, size.width, rngs=rngs)
        self.second = nnx.Linear(size.width, size.width, rngs=rngs)

    def __call__(self, features: Float[Array, "n features"]) -> Float[Array, "n width"]:
        phases = features[:, :3, None] * (jnp.pi * 2.0 ** jnp.arange(FOURIER))
        waves = jnp.concatenate([jnp.sin(phases), jnp.cos(phases)], axis=-1).reshape(len(features), -1)
        normed = jnp.clip((features - self.mean[...]) / self.deviation[...], -10.0, 10.0)
        return self.second(jax.nn.gelu(self.first(jnp.concatenate([normed, waves], axis=-1))))


class _Mixing(nnx.Module):
    """Mix, then think: each added to what was there."""

    def __init__(self, size: Size, rngs: nnx.Rngs) -> None:
        self.before = nnx.LayerNorm(size.width, rngs=rngs)
        self.mixer = MIXERS[size.mixer](size.width, size.heads, size.latents, rngs)
        self.feed = _Feed(size.width, rngs)

    def __call__(self, x: Float[Array, "n width"]) -> Float[Array, "n width"]:
        return self.feed(x + self.mixer(self.before(x)))


class _Reading(nnx.Module):
    """Some vectors attend to others."""

    def __init__(self, size: Size, rngs: nnx.Rngs) -> None:
        self.heads: Final = size.heads
        self.asking = nnx.LayerNorm(size.width, rngs=rngs)
        self.asked = nnx.LayerNorm(size.width, rngs=rngs)
        self.queries, self.keys, self.values, self.out = (
            nnx.Linear(size.width, size.width, rngs=rngs) for _ in range(4)
        )
        self.feed = _Feed(size.width, rngs)

    def __call__(self, x: Float[Array, "k width"], of: Float[Array, "m width"]) -> Float[Array, "k width"]:
        normed = self.asked(of)
        query = split(self.queries(self.asking(x)), self.heads)
        key, value = (split(part(normed), self.heads) for part in (self.keys, self.values))
        read = jax.nn.dot_product_attention(query, key, value)
        return self.feed(x + self.out(read.reshape(x.shape)))


class _Decoder(nnx.Module):
    def __init__(self, size: Size, rngs: nnx.Rngs) -> None:
        self.blocks = nnx.List([_Reading(size, rngs) for _ in range(size.decoder_depth)])
        self.normed = nnx.LayerNorm(size.width, rngs=rngs)
        self.out = nnx.Linear(size.width, size.bases * size.channels, rngs=rngs)

    def __call__(
        self, x: Float[Array, "k width"], latents: Float[Array, "m width"]
    ) -> Float[Array, "k fields"]:
        for block in self.blocks:
            x = block(x, latents)
        return self.out(self.normed(x))


class _Feed(nnx.Module):
    def __init__(self, width: int, rngs: nnx.Rngs) -> None:
        self.before = nnx.LayerNorm(width, rngs=rngs)
        self.first = nnx.Linear(width, 2 * width, rngs=rngs)
        self.second = nnx.Linear(2 * width, width, rngs=rngs)

    def __call__(self, x: Float[Array, "n width"]) -> Float[Array, "n width"]:
        return x + self.second(jax.nn.gelu(self.first(self.before(x))))
