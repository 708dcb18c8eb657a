"""Training of one network, which goes on after it was killed as if it had not been."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint as ocp
from flax import nnx
from jaxtyping import Array, Float

from surrogates.examples import Batch, Example, batch, shape_of, statistics
from surrogates.operator import Operator, Queries, Size

_WARM_UP: Final = 0.05  # of the steps
_CLIP: Final = 1.0  # of the norm of the gradient
_KEPT: Final = 2  # checkpoints


@dataclass(frozen=True)
class Schedule:
    """How long and how fast. points: of the surface, and as many of the volume, that an example is looked at in a step;

    every: steps between checkpoints
    """

    steps: int = 4000
    batch: int = 4
    points: int = 512
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    every: int = 250


@dataclass(frozen=True)
class Step:
    """Where a training stands. loss: mean relative error of the fields [-]; since the last such report."""

    number: int
    loss: float


Report = Callable[[Step], None]


def train(
    examples: Sequence[Example],
    size: Size,
    schedule: Schedule,
    *,
    seed: int,
    folder: Path | None = None,
    report: Report = lambda _: None,
    start: Operator | None = None,
) -> Operator:
    """Train a network.

    Args:
        start: one of other parts, which is made to fit these: all of it is trained on, since its last layers
            alone, fitted to 20 parts, were worse than a new network
        folder: of checkpoints; what lies there of the same training is gone on with
        report: hears of progress, and may raise to end it

    Raises:
        FloatingPointError: the loss is no number any more
    """
    model = new_operator(examples, size, seed) if start is None else start
    graph, parameters, *rest = nnx.split(model, nnx.Param, ...)
    state = {"parameters": parameters, "optimiser": _optimiser(schedule).init(parameters)}
    step_of, shape = _compiled(graph, schedule), shape_of(examples)
    with _Checkpoints(folder) as checkpoints:
        state, done = checkpoints.latest(state)
        losses: list[float] = []
        for number in range(done, schedule.steps):
            random = np.random.default_rng((seed, number))
            chosen = random.choice(len(examples), min(schedule.batch, len(examples)), replace=False)
            drawn = batch([examples[index] for index in chosen], shape, schedule.points, random)
            state, loss = step_of(state, rest, drawn)
            losses.append(float(loss))
            if not math.isfinite(losses[-1]):
                raise FloatingPointError(f"the loss is {losses[-1]} after {number + 1} steps")
            if (number + 1) % schedule.every == 0 or number + 1 == schedule.steps:
                checkpoints.save(number + 1, state)
                report(Step(number + 1, float(np.mean(losses))))
                losses.clear()
            elif (number + 1) % 10 == 0:
                report(Step(number + 1, float(np.mean(losses[-50:]))))
    return nnx.merge(graph, state["parameters"], *rest)


def new_operator(examples: Sequence[Example], size: Size, seed: int) -> Operator:
    """Untrained, but of what the examples are like."""
    model = Operator(size, nnx.Rngs(seed))
    mean, deviation, rms = statistics(examples, size)
    model.lift.mean[...], model.lift.deviation[...] = jnp.asarray(mean), jnp.asarray(deviation)
    assert model.magnitude.bias is not None
    model.magnitude.bias[...] = jnp.tile(jnp.log(jnp.asarray(rms)), size.bases)
    return model


def fields_of(
    model: Operator,
    tokens: Float[Array | np.ndarray, "problems n features"],
    coefficients: Float[Array | np.ndarray, "cases problems bases"],
    targets: Sequence[tuple[Queries, bool]],
) -> list[Float[Array, "cases k channels"]]:
    """Of all loads of a case together, exactly linear in the coefficients, for queries of the surface or the volume."""
    axes = Queries(0, None, None, None)  # type: ignore[arg-type]
    latents = jax.vmap(model.encode)(jnp.asarray(tokens))
    found = []
    for queries, surface in targets:
        decode = jax.vmap(partial(model.decode, surface=surface), in_axes=(0, axes))
        found.append(jnp.einsum("pkbc,apb->akc", decode(latents, queries), coefficients))
    return found


def relative_errors(
    found: Float[Array, "k channels"],
    exact: Float[Array | np.ndarray, "k channels"],
    groups: tuple[int, ...],
) -> Float[Array, " groups"]:
    """In the norm L2 over the points, of each group of channels."""
    exact = jnp.asarray(exact)
    ends = np.cumsum(groups)
    parts = [slice(end - width, end) for end, width in zip(ends, groups, strict=True)]
    tiny = np.finfo(np.float32).tiny
    return jnp.stack(
        [
            jnp.sqrt(
                (jnp.sum((found - exact)[:, part] ** 2) + tiny)
                / jnp.maximum(jnp.sum(exact[:, part] ** 2), tiny)
            )
            for part in parts
        ]
    )


@cache
def _compiled(graph: Any, schedule: Schedule) -> Any:
    """One step; the networks of an ensemble share its program."""
    optimiser = _optimiser(schedule)

    def loss_of(parameters: Any, rest: Any, drawn: Batch) -> Any:
        model = nnx.merge(graph, parameters, *rest)

        error = partial(relative_errors, groups=model.size.groups)

        def of_one(each: Batch) -> Any:
            targets = [(each.surface, True)] + ([] if each.volume is None else [(each.volume, False)])
            asked = [(queries, surface) for (queries, _), surface in targets]
            found = fields_of(model, each.tokens, each.coefficients, asked)
            of_cases = [
                jax.vmap(error)(fields, exact).mean(axis=1)
                for fields, ((_, exact), _) in zip(found, targets, strict=True)
            ]
            return jnp.stack(of_cases).mean(axis=0)

        losses = jax.vmap(of_one)(drawn)
        there = jnp.any(drawn.coefficients != 0, axis=(2, 3))
        return jnp.sum(jnp.where(there, losses, 0.0)) / jnp.sum(there)

    @jax.jit
    def step(state: Any, rest: Any, drawn: Batch) -> Any:
        loss, gradient = jax.value_and_grad(loss_of)(state["parameters"], rest, drawn)
        updates, inner = optimiser.update(gradient, state["optimiser"], state["parameters"])
        return {"parameters": optax.apply_updates(state["parameters"], updates), "optimiser": inner}, loss

    return step


def _optimiser(schedule: Schedule) -> optax.GradientTransformation:
    warm = max(1, int(_WARM_UP * schedule.steps))
    rate = optax.warmup_cosine_decay_schedule(
        0.0, schedule.learning_rate, warm, max(schedule.steps, warm + 1), end_value=0.0
    )
    return optax.chain(
        optax.clip_by_global_norm(_CLIP), optax.adamw(rate, weight_decay=schedule.weight_decay)
    )


class _Checkpoints:
    """Of one training; nothing where there is no folder."""

    def __init__(self, folder: Path | None) -> None:
        self._manager = None
        if folder is not None:
            options = ocp.CheckpointManagerOptions(max_to_keep=_KEPT, save_interval_steps=1)
            self._manager = ocp.CheckpointManager(folder.absolute(), options=options)

    def __enter__(self) -> _Checkpoints:
        return self

    def __exit__(self, *_: object) -> None:
        if self._manager is not None:
            self._manager.wait_until_finished()
            self._manager.close()

    def latest(self, state: Any) -> tuple[Any, int]:
        """What was saved last, of a state of this form, and its step; the state itself where nothing was."""
        if self._manager is None or self._manager.latest_step() is None:
            return state, 0
        step = self._manager.latest_step()
        form = jax.tree.map(ocp.utils.to_shape_dtype_struct, state)
        return self._manager.restore(step, args=ocp.args.StandardRestore(form)), int(step)

    def save(self, step: int, state: Any) -> None:
        if self._manager is not None and step != self._manager.latest_step():
            self._manager.save(step, args=ocp.args.StandardSave(state))
