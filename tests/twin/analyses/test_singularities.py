"""Singular places of parts whose edges are known."""

import manifold3d
import numpy as np
import pytest
import trimesh

import twin
from twin import select
from twin.analyses.heat_conduction.analysis import HeatConductionAnalysis
from twin.analyses.singularities import find
from twin.analyses.static_stress.analysis import StaticStressAnalysis
from twin.geometry.reader import read
from twin.results.zones import Zones
from twin.studies import Request

STEEL = twin.Material(210e9, 0.3, 7800.0, thermal_conductivity=50.0)
TOP = select.plane((0, 0, 0.1), (0, 0, 1))
END = select.plane((0.1, 0, 0), (1, 0, 0))
PUSH = twin.Force((0, 0, -100), on=END)


def bracket(facets=0):
    """An L of 20 mm thickness, 40 mm wide; its inner edge, at x = z = 20 mm, rounded by so many facets."""
    corner = np.array([[20.0, 20.0]])
    if facets:
        angle = np.linspace(np.pi, 1.5 * np.pi, facets + 1)
        corner = 30 + 10 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    outline = np.vstack([[[0, 0], [0, 100], [20, 100]], corner, [[100, 20], [100, 0]]])[::-1]
    solid = manifold3d.Manifold.extrude(manifold3d.CrossSection([outline]), 40.0).to_mesh()
    upright = solid.vert_properties[:, [0, 2, 1]] * (1, -1, 1) + (0, 40, 0)
    mesh = trimesh.Trimesh(upright, solid.tri_verts)
    return read(mesh.export(file_type="stl"), "mm", "part.stl")[0]


def places(surface, study):
    kind = StaticStressAnalysis if isinstance(study, twin.StaticStress) else HeatConductionAnalysis
    analysis = kind(study)
    regions = analysis.check(surface, Request())
    return find(
        surface, analysis.grips(regions), [(case, "The load", at) for case, _, at in regions.loads if at]
    )


def stress(*supports, load=PUSH):
    return twin.StaticStress(STEEL, list(supports), [load])


def test_a_sharp_inner_edge_and_the_rim_of_a_clamp():
    rim, edge = places(bracket(), stress(twin.Fixed(on=TOP)))
    assert (rim.kind, edge.kind) == ("rim", "inner edge")
    assert edge.length == pytest.approx(0.04, rel=1e-6)
    assert "(20, 40, 20)" in edge.label
    assert edge.segments[..., [0, 2]] == pytest.approx(0.02, abs=1e-8)
    assert edge.radius == pytest.approx(0.4 * 0.02, rel=0.15)
    assert rim.length == pytest.approx(2 * (0.04 + 0.02), rel=1e-6)
    assert rim.radius == pytest.approx(0.4 * 0.02, rel=0.15)


@pytest.mark.parametrize("facets", [4, 8, 16])
def test_the_facets_of_a_fillet_are_no_edge(facets):
    assert [place.kind for place in places(bracket(facets), stress(twin.Fixed(on=TOP)))] == ["rim"]


def test_a_symmetry_plane_across_the_part_has_no_singular_rim():
    supports = [
        twin.Symmetry(on=TOP),
        twin.Symmetry(on=select.plane((0, 0, 0), (1, 0, 0))),
        twin.Symmetry(on=select.plane((0, 0, 0), (0, 1, 0))),
    ]
    assert places(bracket(8), stress(*supports)) == ()


@pytest.mark.parametrize("facets", [12, 16, 32])
def test_a_mirror_across_a_faceted_hole(facets):
    """The first facet of the hole stands off the plane of symmetry by half its turn."""
    plate = manifold3d.Manifold.cube((100, 100, 10))
    hole = manifold3d.Manifold.cylinder(30, 20, 20, facets).translate((0, 0, -10))
    solid = (plate - hole).to_mesh()
    mesh = trimesh.Trimesh(solid.vert_properties[:, :3], solid.tri_verts)
    part = read(mesh.export(file_type="stl"), "mm", "part.stl")[0]
    supports = [twin.Symmetry(on=select.plane((0, 0, 0), axis)) for axis in np.eye(3).tolist()]
    assert places(part, stress(*supports)) == ()


@pytest.mark.parametrize("radius", [0.001, 0.004, 0.009])
def test_a_clamp_on_a_round_spot(radius):
    """One rim, as long as the circle, whatever its size; a mirror around it does not cut it up."""
    middle = (0.05, 0.02, 0)
    spot = twin.Fixed(on=select.plane((0, 0, 0), (0, 0, 1)) & select.sphere(middle, radius))
    around = twin.Symmetry(on=select.plane((0, 0, 0), (0, 0, 1)))
    for supports in ([spot], [spot, around], [around, spot]):
        own = [place for place in places(bracket(8), stress(*supports)) if "Fixed" in place.label]
        assert len(own) == 1
        assert own[0].length == pytest.approx(2 * np.pi * radius, rel=0.1)


def test_many_ribs_do_not_hide_a_load_on_a_point():
    ribs = [manifold3d.Manifold.cube((2, 40, 30)).translate((4 * k, 0, 0)) for k in range(24)]
    solid = sum(ribs, manifold3d.Manifold.cube((100, 40, 10))).to_mesh()
    mesh = trimesh.Trimesh(solid.vert_properties[:, :3], solid.tri_verts)
    part = read(mesh.export(file_type="stl"), "mm", "part.stl")[0]
    load = twin.Force((0, 0, -10), on=END & select.sphere((0.1, 0.02, 0.005), 2e-4))
    found = places(part, stress(twin.Fixed(on=select.plane((0, 0, 0), (0, 0, 1))), load=load))
    kinds = [place.kind for place in found]
    assert kinds.count("inner edge") == 31
    assert any("more sharp inner edges" in place.label for place in found)
    assert {"rim", "point load"} <= set(kinds)


def test_a_rigid_coupling_has_a_rim_in_its_own_case_only():
    pull = twin.RemoteForce((0, 0, -10), at=(0.1, 0.02, 0.01), on=END, coupling="rigid")
    study = twin.StaticStress(
        STEEL, [twin.Fixed(on=TOP)], load_cases={"a": [pull], "b": [twin.Gravity((0, 0, -9.81))]}
    )
    zones = Zones(places(bracket(8), study))
    assert [len(zones.of(case).places) for case in "ab"] == [2, 1]


def test_a_support_that_ends_within_a_face():
    part = select.plane((0, 0, 0), (0, 0, 1)) & select.box((-1, -1, -1), (0.05, 1, 1))
    for support in (twin.Fixed(on=part), twin.Displacement(on=part, x=0, y=0, z=0)):
        (rim,) = places(bracket(8), stress(support))
        inside = np.abs(rim.segments[..., 0] - 0.05).max(1) < 1e-9
        assert inside.any()  # where the selector ends
        assert np.linalg.norm(np.diff(rim.segments[inside], axis=1), axis=2).sum() == pytest.approx(
            0.04, rel=1e-3
        )
    supports = [twin.Symmetry(on=part), twin.Fixed(on=TOP)]
    kinds = {place.label.split(" on ")[0] for place in places(bracket(8), stress(*supports))}
    assert kinds == {"Rim of Symmetry", "Rim of Fixed"}


def test_a_band_held_in_more_directions_than_the_face_around_it():
    band = TOP & select.box((0.005, -1, 0), (0.01, 1, 1))
    around = twin.Displacement(on=TOP, x=0, y=0)
    rims = places(bracket(8), stress(around, twin.Displacement(on=band, z=0)))
    assert [rim.label.split(" on ")[0] for rim in rims] == ["Rim of Displacement"]
    inside = np.isin(np.round(rims[0].segments[..., 0], 9), (0.005, 0.01)).all(1)
    assert np.linalg.norm(np.diff(rims[0].segments[inside], axis=1), axis=2).sum() == pytest.approx(0.08)
    clamp, within = twin.Fixed(on=TOP), twin.Displacement(on=band, y=0)
    (rim,) = places(bracket(8), stress(clamp, within))  # the clamp's, with nothing of the band in it
    assert rim.label.startswith("Rim of Fixed")
    assert not np.isin(np.round(rim.segments[..., 0], 9), (0.005, 0.01)).all(1).any()


def test_a_load_on_a_point():
    spot = END & select.sphere((0.1, 0.02, 0.01), 3e-4)
    load = twin.Force((0, 0, -10), on=spot)
    kinds = [place.kind for place in places(bracket(8), stress(twin.Fixed(on=TOP), load=load))]
    assert kinds == ["rim", "point load"]


def test_heat_between_a_given_temperature_and_air():
    """A face of given temperature is singular where it meets convection at any angle, not beside an insulated face."""
    hot = twin.Temperature(400.0, TOP)
    assert places(bracket(8), twin.HeatConduction(STEEL, [hot, twin.Convection(20.0, 300.0, END)])) == ()
    around = twin.Convection(20.0, 300.0, ~TOP)
    (rim,) = places(bracket(8), twin.HeatConduction(STEEL, [hot, around]))
    assert "Temperature" in rim.label
    (edge,) = places(bracket(), twin.HeatConduction(STEEL, [hot, twin.Convection(20.0, 300.0, END)]))
    assert edge.kind == "inner edge"


def test_zones_are_all_points_within_their_radius():
    found = places(bracket(), stress(twin.Fixed(on=TOP)))
    zones = Zones(found)
    edge = found[1]
    points = np.array([[0.02, 0.02, 0.02 - 0.9 * edge.radius], [0.02, 0.02, 0.02 - 1.1 * edge.radius]])
    assert zones.at(points).tolist() == [1, -1]
    assert zones.depth(points) == pytest.approx([0.9, 1.1], rel=0.02)
