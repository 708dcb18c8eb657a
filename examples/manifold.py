"""How does water share itself out, from one port to two? Prints pressures and flow rates, draws manifold.png."""

import trimesh

import twin
from twin import select

# The space that the fluid fills: a pipe along x with two branches along z, all of 10 mm x 10 mm.
pipe = trimesh.creation.box((60, 10, 10))
branches = [trimesh.creation.box((10, 10, 25)).apply_translation((x, 0, 12.5)) for x in (0, 25)]
trimesh.boolean.union([pipe, *branches], engine="manifold").export("manifold.stl")

study = twin.InternalFlow(
    inlets={"supply": twin.Inlet(select.plane(("-30 mm", 0, 0), (1, 0, 0)), flow_rate="0.1 l/min")},
    outlets={
        "near": twin.Outlet(
            select.plane((0, 0, "25 mm"), (0, 0, 1)) & select.box(("-9 mm", -1, -1), ("9 mm", 1, 1))
        ),
        "far": twin.Outlet(
            select.plane((0, 0, "25 mm"), (0, 0, 1)) & select.box(("16 mm", -1, -1), ("34 mm", 1, 1))
        ),
    },
    fluid="water",
)
with twin.local() as client:
    part = client.upload("manifold.stl", unit="mm")
    result = client.simulate(part, study, accuracy=0.1, max_seconds="5 min").result()
    for name in ("pressure_drop", "flow_rate_near", "flow_rate_far", "dissipated_power"):
        print(name, result.quantities[name])
    result.plot("manifold.png")
    result.report("manifold.html")
