"""Evolution finds the fronts that are known, and the same designs from the same journal."""

import numpy as np
import pytest

import twin
from twin.sweeps import bayesian, sampling, statistics
from twin.sweeps.evolution import propose
from twin.sweeps.goals import goals
from twin.sweeps.sampling import longer
from twin.sweeps.space import Space

BEAM = Space([twin.Range("width", 0.01, 0.1), twin.Range("height", 0.01, 0.2)])


def beam(points):
    """A cantilever of 1 m under 1 kN: mass and stress."""
    width, height = points.T
    return {"mass": 7850 * width * height, "stress": 6 * 1e3 / (width * height**2)}


def evolved(space, asked, answers, count=None):
    """Designs as the service has them come: of the latest ones nothing is known."""
    points = sampling.points(asked.first, space.parameters)
    while len(points) < (count or asked.count):
        unknown = np.arange(len(points)) >= asked.known(len(points))
        columns = {name: np.where(unknown, np.nan, column) for name, column in answers(points).items()}
        choose = bayesian.propose if isinstance(asked, twin.Bayesian) else propose
        left = min(asked.batch, asked.count - len(points))
        points = np.concatenate([points, choose(space, asked, points, columns, left)])
    return points


def test_the_lightest_beam_that_holds():
    """With s = 6 F L / (b h^2) <= s_max the lightest one is as narrow as can be: h^2 = 6 F L / (s_max b)."""
    asked = twin.Evolution(480, {"mass": "min"}, ["stress < 20e6"], population=24, seed=2)
    points = evolved(BEAM, asked, beam)
    found = beam(points)
    holds = found["stress"] < 20e6
    lightest = 7850 * 0.01 * np.sqrt(6 * 1e3 / (20e6 * 0.01))
    assert found["mass"][holds].min() == pytest.approx(lightest, rel=0.02)


def test_few_designs_are_enough_to_go_on_from():
    """Three of them: x^2 has its least at 0.2, where the fourth to the ninth look for it."""
    space = Space([twin.Range("x", -1, 2)])
    asked = twin.Bayesian(9, {"f": "min"}, initial=3, batch=1)
    points = evolved(space, asked, lambda points: {"f": (points[:, 0] - 0.2) ** 2})
    assert np.abs(points[3:, 0] - 0.2).min() < 0.02


@pytest.mark.slow
def test_the_front_of_zdt1():
    """Zitzler, Deb & Thiele 2000: f2 = 1 - sqrt(f1) where the others are zero; hypervolume 2/3 below (1, 1)."""
    space = Space([twin.Range(f"x{i}", 0, 1) for i in range(6)])

    def zdt1(points):
        g = 1 + 9 * points[:, 1:].mean(axis=1)
        return {"f1": points[:, 0], "f2": g * (1 - np.sqrt(points[:, 0] / g))}

    asked = twin.Evolution(1600, {"f1": "min", "f2": "min"}, population=40, seed=3)
    found = zdt1(evolved(space, asked, zdt1))
    values = np.stack([found["f1"], found["f2"]], axis=1)
    front = values[statistics.pareto(values) & (values <= 1).all(axis=1)]
    front = front[np.argsort(front[:, 0])]
    steps = np.diff(np.append(front[:, 0], 1.0))
    assert (steps * (1 - front[:, 1])).sum() > 0.9 * 2 / 3


def test_the_same_journal_gives_the_same_designs():
    asked = twin.Evolution(60, {"mass": "min", "stress": "min"}, population=12, seed=2)
    points = evolved(BEAM, asked, beam)
    assert (points == evolved(BEAM, asked, beam)).all()
    # a generation that was cut short by the count is completed first
    short = twin.Evolution(30, {"mass": "min", "stress": "min"}, population=12, seed=2)
    begun = evolved(BEAM, short, beam)
    (more,) = longer([short], 30)
    rest = propose(BEAM, more, begun, beam(begun), 12)
    assert (np.concatenate([begun, rest]) == points[:33]).all()


def test_designs_without_an_answer_have_no_offspring():
    def half(points):
        return {name: np.where(points[:, 0] > 0.05, np.nan, column) for name, column in beam(points).items()}

    asked = twin.Evolution(120, {"mass": "min"}, ["stress < 20e6"], population=24, seed=1)
    points = evolved(BEAM, asked, half)
    assert (points[-24:, 0] < 0.06).mean() > 0.8
    nothing = {name: np.full(24, np.nan) for name in ("mass", "stress")}
    with pytest.raises(twin.StudyError, match="first generation"):
        propose(BEAM, asked, points[:24], nothing, 24)


def test_what_is_computed_meanwhile_is_not_waited_for():
    asked = twin.Evolution(120, {"mass": "min"}, population=24, seed=1)
    points = evolved(BEAM, asked, beam, 60)
    found = beam(points)
    assert asked.known(len(points)) == 54
    unknown = {name: np.where(np.arange(60) < 54, column, np.nan) for name, column in found.items()}
    assert (propose(BEAM, asked, points, found, 6) == propose(BEAM, asked, points, unknown, 6)).all()


def test_cma_es_follows_a_bent_valley():
    """Rosenbrock's function in four dimensions is least, zero, at one."""
    space = Space([twin.Range(f"x{i}", -2, 2) for i in range(4)])

    def rosenbrock(points):
        left, right = points[:, :-1], points[:, 1:]
        return {"f": (100 * (right - left**2) ** 2 + (1 - left) ** 2).sum(axis=1)}

    asked = twin.Evolution(1200, {"f": "min"}, population=10, seed=1, algorithm="CMA-ES")
    points = evolved(space, asked, rosenbrock)
    assert rosenbrock(points)["f"].min() < 1e-3
    assert asked.known(500) == 500  # its steps are by the ranks of a whole generation


def test_cma_es_keeps_to_constraints_and_stands_failures():
    def half(points):
        return {name: np.where(points[:, 0] > 0.09, np.nan, column) for name, column in beam(points).items()}

    asked = twin.Evolution(300, {"mass": "min"}, ["stress < 20e6"], 12, seed=1, algorithm="CMA-ES")
    points = evolved(BEAM, asked, half)
    found = beam(points)
    lightest = 7850 * 0.01 * np.sqrt(6 * 1e3 / (20e6 * 0.01))
    assert found["mass"][found["stress"] < 20e6].min() == pytest.approx(lightest, rel=0.01)
    assert (points == evolved(BEAM, asked, half)).all()


def test_bayesian_optimisation_needs_few_designs():
    """Branin's function under the constraint of Gardner et al.: the best of 40 is near what thousands find."""
    space = Space([twin.Range("x", -5, 10), twin.Range("y", 0, 15)])

    def branin(points):
        x, y = points.T
        value = (y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6) ** 2
        return {"f": value + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10}

    constraint = ["(x - 2.5)**2 + (y - 7.5)**2 < 50"]
    found = evolved(space, twin.Bayesian(40, {"f": "min"}, constraint, seed=1), branin)
    inside = ((found - [2.5, 7.5]) ** 2).sum(axis=1) < 50
    assert branin(found)["f"][inside].min() < 0.45  # 0.3979 is the least there is


def test_bayesian_optimisation_stands_failures_and_finds_what_is_allowed():
    def half(points):
        return {name: np.where(points[:, 1] > 0.15, np.nan, column) for name, column in beam(points).items()}

    asked = twin.Bayesian(36, {"mass": "min"}, ["stress < 4e6", "stress > 0"], initial=6, seed=2)
    points = evolved(BEAM, asked, half)
    found = beam(points)
    holds = (found["stress"] < 4e6) & (points[:, 1] <= 0.15)
    assert not holds[:6].any()
    assert holds.any()
    assert len({tuple(point) for point in points.tolist()}) == 36
    assert (points == evolved(BEAM, asked, half)).all()


def test_levels_integers_and_choices_take_part():
    space = Space([twin.Integers("n", 1, 50), twin.Choice("c", ["a", "b", "d"]), twin.Levels("t", [1, 2, 4])])

    def cost(points):
        return {
            "cost": (points[:, 0] - 17) ** 2
            + np.array([3.0, 0.0, 5.0])[points[:, 1].astype(int)]
            + points[:, 2]
        }

    points = evolved(space, twin.Evolution(240, {"cost": "min"}, population=16), cost)
    best = points[cost(points)["cost"].argmin()]
    assert best.tolist() == [17, 1, 1]


def test_a_design_that_gets_its_answer_late_takes_part_with_its_own_values():
    """The journal counts, not what a replay would have planned: the best so far keeps being found."""
    asked = twin.Evolution(180, {"mass": "min"}, ["stress < 20e6"], population=12, seed=1)
    points = sampling.points(asked.first, BEAM.parameters)
    for batch in range(56):
        found = beam(points)
        if batch < 12:  # the third design has no answer until later
            found = {
                name: np.where(np.arange(len(points)) == 2, np.nan, column) for name, column in found.items()
            }
        points = np.concatenate([points, propose(BEAM, asked, points, found, 12)])
    found = beam(points)
    assert found["mass"][found["stress"] < 20e6].min() < 14.0


def test_few_values_do_not_mix_designs_up():
    """With fewer designs than a population, values are still those of their own designs."""
    space = Space([twin.Choice("c", ["a", "b", "d"]), twin.Levels("t", [1, 2, 4, 8])])
    asked = twin.Evolution(48, {"cost": "min"}, population=24)
    points = sampling.points(asked.first, space.parameters)
    cost = np.abs(points[:, 0] - 1) + points[:, 1]
    following = propose(space, asked, points, {"cost": cost}, 24)
    assert (following[:, 1] <= 2).mean() > 0.4
    assert {tuple(point) for point in following.tolist()} <= {(c, t) for c in (0, 1, 2) for t in (1, 2, 4, 8)}


def test_constraints_are_broken_by_how_much():
    points = np.array([[0.05, 0.1], [0.05, 0.2]])
    asked = twin.Evolution(8, {"mass": "max"}, ["stress < 6e6", "height > width"])
    objectives, broken = goals(BEAM, asked, points, beam(points))
    assert objectives[:, 0] == pytest.approx([-39.25, -78.5])
    assert broken[:, 0] == pytest.approx([0.5, -0.5])
    assert (broken[:, 1] < 0).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"objectives": {}}, "objectives are columns"),
        ({"objectives": {"mass": "less"}}, "objectives are columns"),
        ({"population": 2}, "population"),
        ({"subject_to": ["stress"]}, "compares"),
        ({"count": 0}, "count"),
    ],
)
def test_nonsense_is_refused(change, said):
    with pytest.raises(twin.StudyError, match=said):
        twin.Evolution(**({"count": 24, "objectives": {"mass": "min"}} | change))


@pytest.mark.parametrize("change", [{"objectives": {"weight": "min"}}, {"subject_to": ["strain < 3"]}])
def test_what_no_design_has_is_told(change):
    points = sampling.points(twin.Sobol(8), BEAM.parameters)
    asked = twin.Evolution(**({"count": 24, "objectives": {"mass": "min"}} | change))
    with pytest.raises(twin.StudyError, match=r"weight|strain"):
        propose(BEAM, asked, points, beam(points), 8)
