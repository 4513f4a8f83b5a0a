import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { ROOT } from "../repository/repository.ts";

interface Memory {
  rss: number;
  heap: number;
  held: number;
}

// What is measured is what the library holds. V8 enlarges its space for new objects and its
// compiler's memory while a program warms up, and glibc keeps what is freed for later; each is more
// than this test allows.
const FLAGS = [
  "--expose-gc",
  "--min-semi-space-size=1",
  "--max-semi-space-size=1",
  "--no-opt",
  "--no-maglev",
  "--no-sparkplug",
  "--conditions=tsvene-source",
  "--import=tsx",
];
const ENVIRONMENT = {
  MALLOC_ARENA_MAX: "1",
  MALLOC_MMAP_THRESHOLD_: "16384",
  MALLOC_TRIM_THRESHOLD_: "65536",
};

async function measured(script: string, ...args: readonly string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...FLAGS, `tests/runtime/memory/${script}`, ...args],
    { cwd: ROOT, env: { ...process.env, ...ENVIRONMENT } },
  );
  return JSON.parse(stdout);
}

test("2,000 steps of an optimiser leave no more memory in use than 200", async () => {
  const after = (await measured("optimizer-steps.ts")) as { 200: Memory; 2000: Memory };
  expect(after[2000].rss).toBeLessThan(1.05 * after[200].rss);
  expect(after[2000].heap).toBeLessThan(1.1 * after[200].heap);
  expect(after[2000].held).toBe(after[200].held);
}, 180_000);

test("2,000 steps of an alignment on fresh data leave no more memory in use than 200", async () => {
  const { tenth, all } = (await measured("alignment-steps.ts", "2000")) as {
    readonly tenth: Memory & { readonly external: number };
    readonly all: Memory & { readonly external: number };
  };
  expect(all.rss).toBeLessThan(1.05 * tenth.rss);
  expect(all.heap).toBeLessThan(1.05 * tenth.heap);
  expect(all.external).toBeLessThan(1.01 * tenth.external);
  expect(all.held).toBe(tenth.held);
}, 300_000);
