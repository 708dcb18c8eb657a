// node cantilever.mjs ROOT ADDRESS PART.stl: bends a bar of 100 x 20 x 10 mm, held at x = 0, by a force at x = 100 mm.
// Prints JSON lines: the part, every event of the run, the answer, and how the service refuses what can't work.

import { randomUUID } from "node:crypto";

import { Client } from "./twin.mjs";

const [root, address, path] = process.argv.slice(2);
const print = (kind, fields) => console.log(JSON.stringify({ kind, ...fields }));
const client = new Client(root, address);

const { geometry, chunks: chunksSent } = await client.upload(path, "mm");
const again = await client.upload(path, "mm");
print("part", {
  name: geometry.name,
  chunks_sent: chunksSent,
  chunks_sent_again: again.chunks,
  same: again.geometry.name === geometry.name,
  report: geometry.report,
});

// Everything on the wire is SI: metres, newtons, pascals.
const end = (x) => ({ plane: { point: { x }, normal: { x: 1 } } });
const steel = { display_name: "steel", youngs_modulus: 200e9, poissons_ratio: 0.3, density: 7800, yield_strength: 3e8 };
const study = {
  static_stress: {
    material: steel,
    supports: [{ fixed: { on: end(0) } }],
    load_cases: [
      {
        name: "bending",
        loads: [
          { force: { vector: { z: -500 }, on: end(0.1) } },
          {
            remote_force: {
              force: { z: -500 },
              at: { x: 0.1, y: 0.01, z: 0.005 },
              on: { all_of: { selectors: [end(0.1), { box: { min: { x: 0.09, y: 0, z: 0 }, max: { x: 0.11, y: 0.02, z: 0.005 } } }] } },
              coupling: "COUPLING_DISTRIBUTING",
            },
          },
        ],
      },
    ],
  },
};
const options = { accuracy: 0.0002, max_unknowns: 250_000 };
const request = { run: { geometry: geometry.name, study, options, labels: { from: "node" } }, request_id: randomUUID() };
const run = await client.call(client.runs, "CreateRun", request);
const sameRun = await client.call(client.runs, "CreateRun", request); // the request_id makes it one run

for await (const event of client.watch(run.name))
  print("event", { run: run.name, sequence: event.sequence, ...(event.progress ?? event.state_change) });

const result = await client.call(client.results, "GetResult", { name: `${run.name}/result` });
const [bending] = result.cases;
const displacement = bending.fields.find((array) => array.field === "displacement");
const field = await client.read(displacement.name);
let longest = 0;
for (let i = 0; i < field.values.length; i += 3) longest = Math.max(longest, Math.hypot(...field.values.subarray(i, i + 3)));
print("result", {
  run: run.name,
  same_run: sameRun.name === run.name,
  cases: result.cases.map((one) => ({ name: one.name, quantities: one.quantities })),
  displacement: { ...field.array, chunks: field.chunks, bytes: field.bytes.length, longest },
});

async function refusal(attempt) {
  try {
    await attempt;
  } catch (error) {
    const { message, code, reason, domain, facts, fields } = error;
    return { message, code, reason, domain, facts, fields };
  }
  throw new Error("what can't work was not refused");
}
const broken = structuredClone(request.run);
broken.study.static_stress.material.poissons_ratio = 0.7;
broken.study.static_stress.load_cases[0].loads[0].force.on = {};
print("refused", await refusal(client.call(client.runs, "CreateRun", { run: broken })));
print("refused", await refusal(client.call(client.materials, "GetMaterial", { name: "materials/unobtainium" })));
client.close();
