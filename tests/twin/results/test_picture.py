import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from PIL import Image

from twin.errors import InvalidInput
from twin.results.picture import plot
from twin.results.scalars import Scalar, bands
from twin.results.shape import deformation_factor


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def colourful(image):
    return np.ptp(image, axis=2) > 60


def test_a_picture_has_part_legend_and_white_ground(beam, tmp_path):
    path = plot(beam, tmp_path / "deep" / "stress.png")
    image = pixels(path)
    assert image.shape == (1000, 1600, 3)
    white = (image == 255).all(axis=2).mean()
    assert 0.4 < white < 0.95
    legend = image[230:800, 1400:1420].reshape(-1, 3)
    assert len(np.unique(legend[np.ptp(legend, axis=1) > 60], axis=0)) >= 8  # the bands
    assert colourful(image[150:850, 100:1300]).mean() > 0.05
    assert (image[20:80, 30:800] < 80).all(axis=2).sum() > 500  # the title
    assert (image[:5] == 255).all()


def test_the_colour_of_the_peak_is_on_the_part(beam, tmp_path):
    """Both outer fibres of the beam carry the largest stress: red on the part as in the legend."""
    image = pixels(plot(beam, tmp_path / "stress.png"))
    red = (image[..., 0] > 150) & (image[..., 1] < 80) & (image[..., 2] < 60)
    assert red[150:850, 100:1300].sum() > 1000
    assert red[:, 1390:1430].sum() > 500


def test_deformation_bends_the_part(beam, tmp_path):
    straight = pixels(plot(beam, tmp_path / "a.png", deformation=0, size=(800, 500)))
    bent = pixels(plot(beam, tmp_path / "b.png", deformation=20.0, size=(800, 500)))
    assert np.abs(straight - bent).max(axis=2).astype(bool).mean() > 0.05


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_parts_of_any_size_fill_the_picture_alike(build, tmp_path, scale):
    image = pixels(plot(build(scale=scale), tmp_path / "a.png", size=(800, 500)))
    assert 0.02 < colourful(image[75:425, 50:650]).mean() < 0.6


def test_unknown_bounds_and_all_fields(build, tmp_path):
    outcome = build({"a": 1.0, "b": 2.0}, error=float("inf"))
    for field in ("von_mises", "displacement", "displacement_z", "stress_xx", "stress_yy"):
        assert plot(outcome, tmp_path / f"{field}.png", field=field, case="a", size=(640, 400)).exists()


def test_a_case_without_any_stress_is_drawn(build, tmp_path):
    image = pixels(plot(build({"rest": 1e-30}), tmp_path / "rest.png", size=(640, 400)))
    assert colourful(image).any()


def test_what_cannot_be_drawn_is_refused(beam, tmp_path):
    for arguments in ({"field": "pressure"}, {"field": "stress"}, {"case": "nope"}, {"size": (10, 10)},
                      {"deformation": float("nan")}):  # fmt: skip
        with pytest.raises(InvalidInput):
            plot(beam, tmp_path / "a.png", **arguments)
    with pytest.raises(InvalidInput, match=r"\.png"):
        plot(beam, tmp_path / "a.jpg")


def test_no_display_and_no_graphics_library_are_needed(tmp_path):
    """In a process of its own without DISPLAY: nothing of OpenGL is loaded."""
    code = """
        import sys
        import numpy as np
        from twin.quantities import Field, Quantity
        from twin.results.outcome import CaseOutcome, Cost, Equilibrium, Outcome
        from twin.results.picture import plot
        corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
        mids = [(corners[a] + corners[b]) / 2 for a, b in ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3))]
        points = np.concatenate([corners, mids])
        fields = {"von_mises": Field("von_mises", points[:, :1] * 1e6, "Pa", "node")}
        balance = Equilibrium((0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0), 0.0)
        case = CaseOutcome({"max_von_mises": Quantity(1e6, "Pa")}, fields, {}, balance)
        tets = np.arange(10, dtype=np.int32)[None]
        cost = Cost({}, None, "cpu")
        mesh = (points, tets, points[:4], tets[:, :3])
        outcome = Outcome({"default": case}, *mesh, (), (), (), (), {}, "", {}, cost)
        plot(outcome, sys.argv[1], size=(640, 400))
        loaded = open("/proc/self/maps").read() if sys.platform == "linux" else ""
        assert not any(name in loaded for name in ("libGL", "libEGL", "libX11", "OSMesa")), loaded
        assert "pyvista" not in sys.modules
    """
    environment = {
        key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    path = tmp_path / "headless.png"
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(path)], env=environment, check=True, timeout=120
    )
    assert colourful(pixels(path)).mean() > 0.02


def scalar_of(values):
    return Scalar("von_mises", "von Mises stress", "Pa", np.asarray(values, dtype=float))


def test_the_scale_ends_at_round_numbers():
    found = bands(scalar_of(np.linspace(0, 238e6, 1000)))
    assert (found.unit.name, found.limits[0], found.limits[-1]) == ("MPa", 0.0, 250.0)
    assert np.allclose(np.diff(found.limits), 25.0)
    assert found.labels()[1] == "25"
    assert not found.clipped


def test_one_hot_spot_does_not_hide_the_rest():
    values = np.linspace(0, 100e6, 10_000)
    values[-3:] = 5e9
    found = bands(scalar_of(values))
    assert found.clipped
    assert 100.0 <= found.limits[-1] <= 120.0
    assert np.array_equal(found.color(np.array([5e9]))[0], found.colors[-1])


def test_signed_fields_have_zero_as_a_limit():
    found = bands(scalar_of(np.linspace(-246e6, 238e6, 100)))
    assert np.abs(found.limits).min() == 0.0
    assert found.limits[0] < 0 < found.limits[-1]


def test_automatic_deformation_is_round_and_visible():
    points = np.array([[0.0, 0, 0], [0.1, 0, 0]])
    motion = np.array([[0.0, 0, 0], [0, 0, 1.3e-4]])
    factor = deformation_factor(motion, points, "auto")
    assert factor == 20.0  # 0.13 mm on 100 mm: 2.6 % of it
    assert deformation_factor(0 * motion, points, "auto") == 0.0
    assert deformation_factor(1e3 * motion, points, "auto") == 1.0
    assert deformation_factor(motion, points, 3) == 3.0
