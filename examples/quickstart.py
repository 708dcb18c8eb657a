"""Will this bracket hold? Prints the answer and draws stress.png."""

import bracket

import twin

underside = twin.select.plane((0, 0, 0), normal=(0, 0, 1))
pin = twin.select.cylinder((0, 0, "40 mm"), axis=(0, 1, 0), radius="8.1 mm")
study = twin.StaticStress(
    material="Ti-6Al-4V",
    supports=[twin.Fixed(on=underside)],
    loads=[twin.Force(("3 kN", "-1 kN", "18 kN"), on=pin)],
)
with twin.local() as client:
    part = client.upload(bracket.main(), unit="mm")
    result = client.simulate(part, study, accuracy=0.05).result()
    print(result.quantities["max_von_mises"], result.quantities["max_displacement"], sep="\n")
    result.plot("stress.png")
