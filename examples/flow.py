"""What does oil do to this bracket that flows round it? Prints the answer, draws flow.png, writes flow.html."""

import bracket

import twin

oil = twin.Fluid(density="870 kg/m^3", viscosity="80 mPa*s", name="hydraulic oil")
study = twin.ExternalFlow(velocity=("20 cm/s", 0, 0), fluid=oil, up=(0, 0, 1))
with twin.local() as client:
    part = client.upload(bracket.main(), unit="mm")
    run = client.simulate(part, study, accuracy=0.2, max_seconds="5 min")
    result = run.result()
    for name in ("drag_force", "lift_force", "drag_coefficient"):
        print(name, result.quantities[name])
    result.plot("flow.png")
    result.report("flow.html")
