import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from "vitest";
import { FileSourceError } from "../../../src/files/file-source-error.ts";
import { HubFiles } from "../../../src/files/hub-files.ts";
import type { HubOptions } from "../../../src/files/hub-options.ts";

export const COMMIT: string = "0123456789".repeat(4);
export const TOKEN: string = "hf_SECRETtokenSECRET";
export const WEIGHTS: Buffer = Buffer.alloc(300_000, "weights ");
export const SHA256: string = createHash("sha256").update(WEIGHTS).digest("hex");

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server whose answers a test chooses; it notes what it was asked. */
export class Scripted {
  readonly seen: { url: string; authorization: string | undefined; range: string | undefined }[] =
    [];
  answer: Answer = (_, response) => void response.writeHead(404).end();
  readonly #server: Server = createServer((request, response) => {
    const { authorization, range } = request.headers;
    this.seen.push({ url: request.url ?? "", authorization, range });
    this.answer(request, response);
  });

  async start(host = "127.0.0.1"): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, host, done));
    return `http://${host}:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<unknown>((done) => this.#server.close(done));
  }
}

/** Sends a part of the weights as it is asked for. */
export function sendWeights(
  request: IncomingMessage,
  response: ServerResponse,
  etag: string = SHA256,
  bytes: Buffer = WEIGHTS,
): void {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  response.setHeader("ETag", `"${etag}"`);
  if (from === undefined) {
    response.setHeader("Content-Length", bytes.length);
    return void response.end(bytes);
  }
  const end = to === "" ? bytes.length : Number(to) + 1;
  response.setHeader("Content-Range", `bytes ${from}-${end - 1}/${bytes.length}`);
  response.writeHead(206).end(bytes.subarray(Number(from), end));
}

/** Faster than to compare arrays, number by number. */
export function expectWeights(bytes: Uint8Array): void {
  expect(createHash("sha256").update(bytes).digest("hex")).toBe(SHA256);
}

export function isInfo(request: IncomingMessage): boolean {
  return request.headers.range === "bytes=0-0";
}

export let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tsvene-hub-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

export let hub: Scripted;
export let hubUrl = "";
export let cacheDir = "";
beforeEach(async () => {
  hub = new Scripted();
  hubUrl = await hub.start();
  cacheDir = await mkdtemp(join(directory, "cache-"));
  // Nothing of whoever runs the tests.
  for (const name of ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE"]) {
    vi.stubEnv(name, "");
  }
  vi.stubEnv("HF_HOME", join(cacheDir, "home"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await hub.stop();
});

/** At a commit, so that only files are asked for. */
export function open(options: HubOptions = {}): HubFiles {
  return new HubFiles("org/model", { hubUrl, cacheDir, revision: COMMIT, ...options });
}

export function openMain(options: HubOptions = {}): HubFiles {
  return open({ revision: "main", ...options });
}

export function sendCommit(response: ServerResponse, sha: string = COMMIT): void {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ _id: "x", id: "org/model", sha }));
}

export async function failure(promise: Promise<unknown>): Promise<FileSourceError> {
  const error = await promise.then(
    () => new Error("nothing failed"),
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(FileSourceError);
  return error as FileSourceError;
}

export function blobs(): string {
  return join(cacheDir, "models--org--model", "blobs");
}
