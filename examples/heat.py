"""How hot does this bracket get? A motor heats its bore, air cools the rest. Prints the answer and draws heat.png."""

import bracket

import twin

bore = twin.select.cylinder((0, 0, "40 mm"), axis=(0, 1, 0), radius="8.1 mm")
study = twin.HeatConduction(
    material="Al 6061-T6",
    supports=[twin.Convection("25 W/m^2/K", "20 degC", on=~bore)],
    loads=[twin.HeatFlow("15 W", on=bore)],
)
with twin.local() as client:
    part = client.upload(bracket.main(), unit="mm")
    result = client.simulate(part, study, accuracy=0.02).result()
    print(result.quantities["max_temperature"], result.quantities["heat_flow"], sep="\n")
    result.plot("heat.png")
