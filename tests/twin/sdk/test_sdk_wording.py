"""Studies in words."""

from __future__ import annotations

import twin
from twin.sdk.wording import study_rows


def test_every_support_and_load_has_words():
    on = twin.select.patch(3)
    study = twin.StaticStress(
        "Ti-6Al-4V",
        [
            twin.Fixed(on),
            twin.Symmetry(on),
            twin.Displacement(on, x="0.1 mm", z=0),
            twin.ElasticFoundation(on, 1e9, "all"),
        ],
        load_cases={
            "a": [
                twin.Force((0, 0, "-35.6 kN"), on),
                twin.Traction((1e6, 0, 0), on),
                twin.Pressure("2 bar", on),
            ],
            "b": [
                twin.Gravity((0, 0, -9.81)),
                twin.Centrifugal((0, 0, 1), (0, 0, 0), 10),
                twin.RemoteForce((0, 0, 0), (0, 0, "40 mm"), on, moment=(0, 0, "565 N*m"), coupling="rigid"),
            ],
        },
    )
    said = study_rows(study)
    assert [what for what, _ in said] == [
        "Material",
        *["Support"] * 4,
        *["Load, case a"] * 3,
        *["Load, case b"] * 3,
    ]
    text = "\n".join(how for _, how in said)
    for words in (
        "Ti-6Al-4V, E 113.8 GPa, ν 0.342",
        "x = 0.1 mm, z = 0 m",
        "1e+09 N/m³ in all directions",
        "force (0, 0, -35.6) kN: patch 3",
        "traction (1, 0, 0) MPa",
        "pressure 0.2 MPa",
        "gravity (0, 0, -9.81) m/s²",
        "10 rad/s about (0, 0, 1)",
        "moment (0, 0, 565) N m at (0, 0, 40) mm, rigid coupling: patch 3",
    ):
        assert words in text
