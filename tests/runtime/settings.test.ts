import {
  configureRuntime,
  defaultRuntime,
  Runtime,
  type RuntimeOptions,
  TsveneError,
} from "tsvene";
import { expect, test } from "vitest";
import { numbers } from "./op-calls.ts";
import { ReferenceBackend } from "./reference/reference-backend.ts";

const isPage = "document" in globalThis;

/** Settings that are refused, with what is said. */
const refused: readonly (readonly [RuntimeOptions, string])[] = [
  [{ maxSessions: 0 }, "maxSessions must be an integer of 1 or more, got 0"],
  [{ maxSession: 3 } as RuntimeOptions, "there is no option maxSession; did you mean maxSessions"],
  [{ executionProviders: [] }, "executionProviders is a list of names, best first, of "],
  [{ executionProviders: ["cuba"] }, 'not "cuba"'],
  ...(isPage
    ? ([
        [{ threads: 2 }, "threads: in a page, all programs share those of numThreads"],
        [{ numThreads: 0.5 }, "numThreads must be an integer of 1 or more, got 0.5"],
        [{ numThreads: 2 }, "2 threads need a page that is isolated from other origins"],
        [{ wasmPaths: "" }, 'wasmPaths: "" is no address of a folder or file'],
        [{ wasmPaths: {} }, "wasmPaths is a folder, or { wasm, mjs }"],
      ] as const)
    : ([
        [{ numThreads: 2 }, "numThreads is for pages"],
        [{ wasmPaths: "/a/" }, "wasmPaths is for pages"],
      ] as const)),
];

test.each(refused)("refuses %o", (options, message) => {
  expect(() => configureRuntime(options)).toThrow(TsveneError);
  expect(() => configureRuntime(options)).toThrow(message);
});

test("takes all settings or none", async () => {
  const runtime = new Runtime(defaultRuntime.backend);
  const wrong = { maxSessions: 1, executionProviders: ["no"] };
  expect(() => runtime.configure(wrong)).toThrow("executionProviders");
  for (const t of [numbers([2]).exp(), numbers([2]).sin()]) await runtime.evaluate([t]);
  expect(runtime.stats.sessionsAlive).toBe(2);
});

test("what the engine is started with is refused once it has started", async () => {
  await numbers([2]).exp().data();
  expect(() => configureRuntime({ numThreads: 1 })).toThrow(
    isPage ? "the engine has started, which reads it once" : /numThreads/,
  );
});

test("names the processor as what computes", async () => {
  configureRuntime({ executionProviders: [isPage ? "wasm" : "cpu"] });
  const runtime = new Runtime(defaultRuntime.backend);
  const y = numbers([3]).tan();
  await runtime.evaluate([y]);
  expect(y.values).toHaveLength(3);
});

test("a backend without an engine has no settings of one", () => {
  const runtime = new Runtime(new ReferenceBackend(), { threads: 1 });
  expect(() => runtime.configure({ wasmPaths: "/a/" })).toThrow(
    "wasmPaths: the backend reference has no such setting",
  );
});
