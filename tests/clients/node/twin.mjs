// A client of the service, made at run time from the folder of protos; nothing else is known about the service.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

const FILES = ["geometry", "run", "result", "array", "material"].map((name) => `protos/twin/v1/${name}.proto`);
const UPLOAD_CHUNK = 64 * 1024; // bytes; the contract allows 1 MiB
const WATCH_PATIENCE = 30_000; // ms without a word from the server before we give up
const ENDED = new Set(["RUN_STATE_SUCCEEDED", "RUN_STATE_FAILED", "RUN_STATE_CANCELLED"]);

// DataType -> how to see little-endian bytes as elements.
const ELEMENTS = {
  DATA_TYPE_FLOAT32: Float32Array,
  DATA_TYPE_FLOAT64: Float64Array,
  DATA_TYPE_INT32: Int32Array,
  DATA_TYPE_INT64: BigInt64Array,
  DATA_TYPE_UINT8: Uint8Array,
};

/** A call that the service refused. code: of gRPC; reason: what an if can ask for; fields: those at fault. */
export class ServiceError extends Error {
  constructor(message, code, info, violations) {
    super(message);
    this.code = grpc.status[code];
    this.reason = info?.reason;
    this.domain = info?.domain;
    this.facts = info?.metadata ?? {};
    this.fields = violations;
  }
}

export class Client {
  /** root: the folder that holds protos/; address: "host:port" of a server that speaks plaintext. */
  constructor(root, address) {
    this.definition = protoLoader.loadSync(FILES.concat("google/rpc/status.proto", "google/rpc/error_details.proto"), {
      includeDirs: [root, join(root, "protos", "third_party")],
      keepCase: true, // field names as in the protos
      longs: Number, // sizes and counts, all below 2^53
      enums: String,
      defaults: true,
      oneofs: true, // message.event says which member of the oneof is set
    });
    const { v1 } = grpc.loadPackageDefinition(this.definition).twin;
    const credentials = grpc.credentials.createInsecure();
    const stub = (Service) => new Service(address, credentials);
    this.geometries = stub(v1.GeometryService);
    this.runs = stub(v1.RunService);
    this.results = stub(v1.ResultService);
    this.arrays = stub(v1.ArrayService);
    this.materials = stub(v1.MaterialService);
  }

  close() {
    for (const stub of [this.geometries, this.runs, this.results, this.arrays, this.materials]) stub.close();
  }

  /** One request, one answer. */
  async call(stub, method, request) {
    try {
      return await promisify(stub[method]).call(stub, request);
    } catch (error) {
      throw this.#rich(error);
    }
  }

  /** Sends a file unless the service holds it, and has it read. Returns the Geometry and how much was sent. */
  async upload(path, unit) {
    const data = readFileSync(path);
    const digest = sha256(data);
    const { missing_digests } = await this.call(this.geometries, "FindMissingBlobs", { digests: [digest] });
    const chunks = missing_digests.length ? await this.#send(data, digest) : 0;
    const geometry = await this.call(this.geometries, "CreateGeometry", {
      geometry: { source_digest: digest, filename: basename(path), unit },
    });
    return { geometry, chunks };
  }

  async #send(data, digest) {
    let chunks = 0;
    await new Promise((resolve, reject) => {
      const stream = this.geometries.UploadBlob((error) => (error ? reject(this.#rich(error)) : resolve()));
      const write = async () => {
        await written(stream, { header: { digest, size_bytes: data.length } });
        for (let start = 0; start < data.length; start += UPLOAD_CHUNK, chunks++)
          await written(stream, { chunk: data.subarray(start, start + UPLOAD_CHUNK) });
        stream.end();
      };
      write().catch(reject);
    });
    return chunks;
  }

  /** Yields every event of a run once and in order, until it ends; goes on where a broken stream stopped. */
  async *watch(name) {
    let resume_token = "";
    let heard = Date.now();
    for (;;) {
      try {
        for await (const event of this.runs.WatchRun({ name, resume_token })) {
          ({ resume_token } = event);
          heard = Date.now();
          if (event.event === "heartbeat") continue;
          yield event;
          if (ENDED.has(event.state_change?.state)) return;
        }
      } catch (error) {
        if (error.code !== grpc.status.UNAVAILABLE || Date.now() - heard > WATCH_PATIENCE) throw this.#rich(error);
      }
      await sleep(200);
    }
  }

  /** Reads a whole array: its ArrayInfo, its bytes, its elements (row-major), and the number of chunks. */
  async read(name) {
    const chunks = [];
    let array;
    try {
      for await (const message of this.arrays.ReadArray({ name, encoding: "ENCODING_RAW" })) {
        if (message.content === "header") ({ array } = message.header);
        else chunks.push(message.chunk.data);
      }
    } catch (error) {
      throw this.#rich(error);
    }
    const bytes = Buffer.concat(chunks);
    if (sha256(bytes) !== array.checksum) throw new Error(`${name} was damaged on the way: its checksum differs`);
    const Elements = ELEMENTS[array.data_type];
    const values = new Elements(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    if (values.length !== array.shape.reduce((a, b) => a * b, 1))
      throw new Error(`${name}: ${values.length} elements do not make an array of ${array.shape.join(" x ")}`);
    return { array, bytes, values, chunks: chunks.length };
  }

  /** The google.rpc.Status in the trailers of a refused call, with its details opened. */
  #rich(error) {
    const [trailer] = error.metadata?.get("grpc-status-details-bin") ?? [];
    if (!trailer) return error;
    const status = this.definition["google.rpc.Status"].deserialize(trailer);
    const opened = Object.fromEntries(
      status.details.map(({ type_url, value }) => {
        const type = type_url.slice(type_url.lastIndexOf("/") + 1);
        return [type, this.definition[type].deserialize(value)];
      }),
    );
    const violations = opened["google.rpc.BadRequest"]?.field_violations ?? [];
    return new ServiceError(status.message, status.code, opened["google.rpc.ErrorInfo"], violations);
  }
}

function sha256(data) {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

/** Hands a message to a stream, waiting while the other side is slower than we are. */
function written(stream, message) {
  return stream.write(message) ? undefined : new Promise((resolve) => stream.once("drain", resolve));
}
