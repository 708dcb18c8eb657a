import base64
import re
from html.parser import HTMLParser

import pytest

from twin.errors import InvalidInput
from twin.geometry.surface import Report
from twin.results.convergence_plot import convergence_svg
from twin.results.outcome import ConvergenceRow
from twin.results.report import report

GEOMETRY = Report(
    triangles=48211, watertight=True, volume=2e-5, area=6.4e-3, bounds=((0, 0, 0), (0.1, 0.02, 0.01)),
    bodies=1, patches=(), groups=("clevis",), repairs=("Closed 2 holes.",),
    warnings=(), unit="mm", chord_error=2e-5,
)  # fmt: skip
ORDER = [
    "answer",
    "picture",
    "assumptions",
    "study",
    "geometry",
    "mesh",
    "equilibrium",
    "warnings",
    "provenance",
    "cost",
]


class Page(HTMLParser):
    """Ids of sections, text, what is loaded from elsewhere, and whether tags nest."""

    VOID = ("meta", "img", "br", "link", "line", "circle", "polyline")

    def __init__(self, text):
        super().__init__()
        self.sections, self.words, self.loads, self.open, self.tags = [], [], [], [], []
        self.feed(text)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        values = dict(attrs)
        if tag == "section":
            self.sections.append(values["id"])
        self.loads += [value for key, value in attrs if key in ("src", "href", "data", "srcset") and value]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words.append(data)


@pytest.fixture(scope="module")
def page(build, tmp_path_factory):
    outcome = build({"ver": 1.0, "hor": -0.4}, warnings=("The peak sits on a sharp corner.",))
    path = tmp_path_factory.mktemp("report") / "report.html"
    rows = [("Material", "S355 <steel>"), ("Supports", "Fixed on plane x = 0")]
    report(
        outcome,
        path,
        study_text=rows,
        geometry_report=GEOMETRY,
        title="Beam & bracket",
        run_name="runs/1",
        accuracy=0.01,
    )
    return Page(path.read_text(encoding="utf-8"))


def test_sections_come_in_the_order_of_reading(page):
    assert page.sections == ORDER
    assert page.open == []


def test_nothing_is_loaded_from_anywhere(page):
    assert "script" not in page.tags
    assert page.loads
    assert all(value.startswith("data:image/png;base64,") for value in page.loads)
    assert base64.b64decode(page.loads[0].split(",", 1)[1])[:8] == b"\x89PNG\r\n\x1a\n"
    assert "http" not in page.text


def test_the_answer_comes_with_its_bound(page):
    for words in ("200 MPa ± 2.0 %", "± 0.50 %", "80.0 MPa ± 2.0 %", "below yield, bound included"):
        assert words in page.text
    assert "asked for 1.0 %, the bound is 2.0 %" in page.text


def test_everything_an_engineer_asks_is_there(page):
    for words in ("S355 <steel>", "Small <displacements> & rotations", "Closed 2 holes.", "100 × 20 × 10 mm",
                  "clevis", "The peak sits on a sharp corner.", "In balance", "sha256:0f0f", "20,000",
                  "six tetrahedra per cell", "4.8 s", "not measured", "at most 0.02 mm"):  # fmt: skip
        assert words in page.text, words
    assert "svg" in page.tags


def test_a_bare_outcome_makes_a_report_too(build, tmp_path):
    outcome = build(error=float("inf"))
    page = Page(
        report(outcome, tmp_path / "r.html", study_text="material = S355", accuracy=0.05).read_text("utf-8")
    )
    assert page.sections == ORDER
    assert "bound unknown" in page.text
    assert "asked for 5.0 %, the bound is unknown" in page.text
    assert "material = S355" in page.text
    assert "None." in page.text


def test_other_suffixes_are_refused(beam, tmp_path):
    with pytest.raises(InvalidInput, match=r"\.html"):
        report(beam, tmp_path / "r.pdf")


def test_one_resolution_has_no_trend():
    row = ConvergenceRow(100, 0.1, 3, 1e-8, 0.1, {"max_von_mises": 1e6})
    assert convergence_svg([row], ["max_von_mises"]) == ""
    finer = ConvergenceRow(800, 0.05, 3, 1e-8, 0.1, {"max_von_mises": 2e6})
    assert "−50 %" in convergence_svg([row, finer], ["max_von_mises"])
