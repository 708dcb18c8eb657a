"""How points of a part tell each other what they see, at a cost that grows with their number and not its square.

Both mix tokens (n, width) into tokens (n, width) through a fixed number of latents, and are exchanged for each other in
`surrogates.operator`.
"""

from __future__ import annotations

from typing import Final, Literal

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

MixerName = Literal["latent_routing", "physics_attention"]


class ResidualMLP(nnx.Module):
    """Layers of one width, each added to what it was given."""

    def __init__(self, width: int, depth: int, rngs: nnx.Rngs) -> None:
        self.layers = nnx.List([nnx.Linear(width, width, rngs=rngs) for _ in range(depth)])

    def __call__(self, x: Float[Array, "n width"]) -> Float[Array, "n width"]:
        for layer in self.layers:
            x = x + jax.nn.gelu(layer(x))
        return x


class LatentRouting(nnx.Module):
    """Attention of low rank: latents gather from all tokens, and all tokens from the latents, by the same keys.

    The encoder of FLARE (Puri et al. 2025, arXiv:2508.12594, section 3): learned latents for each head, no scaling.
    """

    def __init__(self, width: int, heads: int, latents: int, rngs: nnx.Rngs) -> None:
        self.heads: Final = heads
        shape = (latents, heads, width // heads)
        self.latents = nnx.Param(jax.random.normal(rngs.params(), shape) * 0.5)
        self.keys = ResidualMLP(width, 2, rngs)
        self.values = ResidualMLP(width, 2, rngs)
        self.out = nnx.Linear(width, width, rngs=rngs)

    def __call__(self, x: Float[Array, "n width"]) -> Float[Array, "n width"]:
        keys, values = (split(part(x), self.heads) for part in (self.keys, self.values))
        latents = self.latents[...]
        gathered = jax.nn.dot_product_attention(latents, keys, values, scale=1.0)
        routed = jax.nn.dot_product_attention(keys, latents, gathered, scale=1.0)
        return self.out(routed.reshape(x.shape))


class PhysicsAttention(nnx.Module):
    """Tokens are softly assigned to slices, the slices attend to each other, and tokens take back their shares.

    Transolver (Wu et al. 2024, arXiv:2402.02366, section 3.2).
    """

    def __init__(self, width: int, heads: int, latents: int, rngs: nnx.Rngs) -> None:
        self.heads: Final = heads
        size = width // heads
        self.tokens = nnx.Linear(width, width, rngs=rngs)
        self.assigning = nnx.Linear(width, width, rngs=rngs)
        orthogonal = nnx.initializers.orthogonal()
        self.slices = nnx.Linear(size, latents, kernel_init=orthogonal, rngs=rngs)
        self.temperature = nnx.Param(jnp.full((heads, 1), 0.5))
        self.attention = nnx.List([nnx.Linear(size, size, use_bias=False, rngs=rngs) for _ in range(3)])
        self.out = nnx.Linear(width, width, rngs=rngs)

    def __call__(self, x: Float[Array, "n width"]) -> Float[Array, "n width"]:
        tokens = split(self.tokens(x), self.heads)
        logits = self.slices(split(self.assigning(x), self.heads))
        share = jax.nn.softmax(logits / jnp.clip(self.temperature[...], 0.1, 5.0), axis=-1)
        total = share.sum(axis=0)[..., None] + 1e-5
        slices = jnp.einsum("nhm,nhd->hmd", share, tokens) / total
        query, key, value = (part(slices).swapaxes(0, 1) for part in self.attention)
        mixed = jax.nn.dot_product_attention(query, key, value)
        return self.out(jnp.einsum("nhm,mhd->nhd", share, mixed).reshape(x.shape))


MIXERS: Final = {"latent_routing": LatentRouting, "physics_attention": PhysicsAttention}


def split(x: Float[Array, "n width"], heads: int) -> Float[Array, "n heads size"]:
    """One vector for each head."""
    return x.reshape(len(x), heads, -1)
