"""What ever finer tunnels say of the error of the finest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twin.analyses.external_flow.quantities import Measured, errors, is_known_as_well_as_can_be

ACROSS = 1e9  # cells of size one: so many that what they tell of walls does not count


def of_size(
    size: float, drag: float, spread: float = 0.0, blockage: float = 0.0, modelled: bool = False
) -> Measured:
    spreads = np.array([spread, 0, 0])
    force, none = np.array([drag, 0, 0]), np.zeros(3)
    return Measured(1000, size, ACROSS / size, force, spreads, none, none, blockage, modelled)


def test_of_one_tunnel_it_is_not_known() -> None:
    assert np.isinf(errors([of_size(1.0, 2.0)])[0]).all()


@pytest.mark.parametrize("ratio", [1.2, 1.5, 2.0])
def test_an_error_that_falls_with_the_size_is_told_as_it_is(ratio: float) -> None:
    exact, slope = 3.0, 0.4
    ladder = [of_size(size, exact + slope * size) for size in (1.0, 1 / ratio, 1 / ratio**2)]
    for count in (2, 3):
        finest = ladder[count - 1]
        assert errors(ladder[:count])[0][0] == pytest.approx(finest.force[0] - exact)


def test_one_small_change_after_a_large_one_is_not_trusted() -> None:
    ladder = [of_size(1.0, 2.0), of_size(0.5, 1.0), of_size(0.25, 1.0)]
    assert errors(ladder)[0][0] == pytest.approx(0.25)


def test_two_sizes_that_agree_are_not_exact() -> None:
    ladder = [replace(of_size(size, 2.0), across=20 / size) for size in (1.0, 0.5)]
    drag, side, _ = errors(ladder)[0]
    assert drag == side == pytest.approx(2.0 * 0.1 / 40)


def test_finite_time_and_the_box_count_too() -> None:
    ladder = [of_size(1.0, 2.0), of_size(0.5, 2.0, spread=0.1, blockage=0.02)]
    assert errors(ladder)[0][0] == pytest.approx(0.1 + 0.02 * 2.0)


def test_a_gas_that_is_fast_is_not_known_better_than_its_density() -> None:
    slow, fast = (
        [replace(of_size(size, 2.0), mach_number=mach) for size in (1.0, 0.5)] for mach in (0.1, 0.6)
    )
    assert errors(slow)[0][0] == pytest.approx(0.0025 * 2.0, rel=0.01)
    assert errors(fast)[0][0] == pytest.approx(0.093 * 2.0, rel=0.01)


def test_a_model_of_turbulence_is_no_better_than_it_was_for_known_bodies() -> None:
    laminar, turbulent = (
        [of_size(size, 2.0, modelled=which) for size in (1.0, 0.5)] for which in (False, True)
    )
    assert errors(laminar)[0][0] == pytest.approx(0, abs=1e-8)
    assert 0.2 * 2.0 <= errors(turbulent)[0][0] <= 0.4 * 2.0


@pytest.mark.parametrize(
    ("drags", "modelled", "accuracy", "names", "known"),
    [
        ((2.0, 2.1), True, 0.02, ["drag_force"], True),  # the model is worth 30 %, cells 10 % and less
        ((2.0, 2.1), True, 0.5, ["drag_force"], False),  # within reach
        ((2.0, 2.1), False, 0.02, ["drag_force"], False),  # nothing is modelled
        ((1.0, 2.1), True, 0.02, ["drag_coefficient"], False),  # cells say more
        ((1.0, 2.1), True, 0.02, ["lift_force"], True),
        ((1.0, 2.1), True, 0.02, ["moment"], False),
        ((2.1,), True, 0.02, ["drag_force"], False),
    ],
)
def test_it_ends_where_only_the_model_is_left(
    drags: tuple[float, ...], modelled: bool, accuracy: float, names: list[str], known: bool
) -> None:
    ladder = [of_size(0.5**place, drag, modelled=modelled) for place, drag in enumerate(drags)]
    assert is_known_as_well_as_can_be(ladder, names, accuracy, 2.0) is known
