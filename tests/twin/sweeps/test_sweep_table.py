"""Tables and reports of sweeps: what goes in comes out."""

import csv
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

import twin
from twin.codec import DesignView
from twin.results import sweep_report as report
from twin.sweeps import sampling
from twin.sweeps.space import Space
from twin.sweeps.table import Table

SPACE = Space(
    [twin.Range("wall", "2 mm", "8 mm"), twin.Choice("alloy", ["316L", "Ti-6Al-4V"])], ["wall > 0.003"]
)


def designs(count=32):
    points = sampling.points(twin.Sobol(count), SPACE.parameters)
    for index, (wall, alloy) in enumerate(points.tolist()):
        if wall <= 3e-3:
            error = twin.StudyError("The design does not meet <wall> > 0.003.")
            yield DesignView(index, (wall, alloy), "INFEASIBLE", error=error)
            continue
        found = {
            "mass": twin.Quantity(wall * (8 if alloy == 0 else 4), "kg", 0.0),
            "max_von_mises": twin.Quantity(1e3 / wall**2, "Pa", np.inf),
            "reaction_force": twin.Quantity([0.0, 1.0, wall], "N", 1e-9),
        }
        yield DesignView(index, (wall, alloy), "DONE", f"runs/{index}", found={"default": found})


@pytest.fixture
def table():
    return Table.of(SPACE, list(designs()))


def test_columns(table):
    assert list(table)[:4] == ["design", "state", "wall", "alloy"]
    assert table.quantities == [
        "mass",
        "max_von_mises",
        "reaction_force_x",
        "reaction_force_y",
        "reaction_force_z",
    ]
    assert table.units["reaction_force_z_error"] == "N"
    assert np.isnan(table["mass"][~table.done]).all()
    assert (~table.done == (table["wall"] <= 3e-3)).all()
    with pytest.raises(KeyError, match="there are design"):
        table["max_mises"]


def test_load_cases_have_columns_of_their_own():
    found = {case: {"mass": twin.Quantity(1.0, "kg", 0.0)} for case in ("up", "down")}
    table = Table.of(SPACE, [DesignView(0, (0.004, 0), "DONE", found=found)])
    assert table.quantities == ["up.mass", "down.mass"]


def test_csv_and_parquet_hold_the_table(table, tmp_path):
    with table.save(tmp_path / "sweep.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0][:5] == ["design", "state", "wall [m]", "alloy", "mass [kg]"]
    masses = [float(row[4]) if row[4] else np.nan for row in rows[1:]]
    np.testing.assert_array_equal(masses, table["mass"])
    stored = pq.read_table(table.save(tmp_path / "sweep.parquet"))
    assert stored.column_names == list(table)
    np.testing.assert_array_equal(stored["mass"].to_numpy(), table["mass"])
    assert stored["alloy"].to_pylist() == table["alloy"].tolist()
    assert stored.schema.field("wall").metadata == {b"unit": b"m"}
    with pytest.raises(twin.InvalidInput, match=r"\.csv or \.parquet"):
        table.save(tmp_path / "sweep.xlsx")


def test_report_tells_what_is_best_and_why_some_are_not(table, tmp_path):
    objectives = report.objectives_of(table, None)
    assert objectives == {"mass": 1.0, "max_von_mises": 1.0}
    best = report.best_designs(table, objectives)
    light = table["alloy"] == "Ti-6Al-4V"
    thickest = int(np.argmax(table["wall"]))
    assert set(best) - {thickest} == set(np.flatnonzero(light & table.done)) - {thickest}
    path = report.write(
        table, tmp_path / "sweep.html", heading="A <sweep>", name="sweeps/x", facts=[], objectives=objectives
    )
    page = path.read_text()
    assert "A &lt;sweep&gt;" in page
    assert "does not meet &lt;wall&gt;" in page
    for section in (
        "What nothing beats",
        "All designs",
        "Main effects",
        "Sobol&#39; indices",
        "Each over each",
    ):
        assert section.replace("&#39;", "'") in page
    assert page.count("<svg") == 5
    assert "://" not in page.replace("http://www.w3.org", "")  # the names of XML alone


def test_the_best_are_no_previews(table, tmp_path):
    """Each design as a preview that is half as heavy, and the first ten in earnest."""
    whole = list(designs())
    quick = [
        replace(
            design,
            preview=True,
            found={
                case: found | {"mass": twin.Quantity(found["mass"].value / 2, "kg", 0.0)}
                for case, found in design.found.items()
            },
        )
        for design in whole
    ]
    solved = [replace(design, index=len(whole) + design.index) for design in whole[:10]]
    both = Table.of(SPACE, quick + solved)
    objectives = {"mass": 1.0, "max_von_mises": 1.0}
    expected = report.best_designs(Table.of(SPACE, solved), objectives)
    assert report.best_designs(both, objectives).tolist() == expected.tolist()
    assert len(report.best_designs(Table.of(SPACE, quick), objectives)) == 0
    page = report.write(
        both, tmp_path / "s.html", heading="s", name="", facts=[], objectives=objectives
    ).read_text()
    assert "Previews do not count." in page
    assert "of these previews" in page


def test_a_sweep_with_nothing_to_tell_has_a_report(tmp_path):
    table = Table.of(SPACE, [design for design in designs() if design.state != "DONE"])
    objectives = report.objectives_of(table, None)
    page = report.write(
        table, tmp_path / "s.html", heading="s", name="", facts=[], objectives=objectives
    ).read_text()
    assert "does not meet" in page


def test_objectives_are_columns(table):
    assert report.objectives_of(table, {"mass": "max"}) == {"mass": -1.0}
    for wrong in ({"weight": "min"}, {"mass": "low"}):
        with pytest.raises(twin.InvalidInput, match="no objective"):
            report.objectives_of(table, wrong)
