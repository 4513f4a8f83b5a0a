import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  contrastPairs,
  Effects,
  type EffectsJSON,
  sweep,
} from "tsvene";
import { build } from "vite";
import { afterAll, beforeAll, expect } from "vitest";
import { ROOT } from "../repository/repository.ts";
import { browserTest } from "./browser-test.ts";

const PAIR = {
  clean: "The capital of Italy is",
  corrupt: "The capital of Spain is",
  right: " Rome",
  wrong: " Madrid",
};
const SWEEP = { sites: { component: "block_input", layer: "all", position: "all" } } as const;

const PAGE = `<!doctype html><title>a worker</title><link rel=icon href="data:,">
<script type="module" src="./page.ts"></script>`;
const SCRIPT = `
import { startWorker } from "tsvene/worker";
const tasks: number[] = [];
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) tasks.push(duration);
}).observe({ type: "longtask", buffered: true });
const worker = startWorker();
async function run() {
  const progress: string[] = [];
  const model = await worker.load("./tsvene-mini/", {
    onProgress: ({ file, loaded, total }) => progress.push(file + " " + (loaded / (total ?? NaN))),
  });
  const cells: unknown[] = [];
  const effects = await model.sweep([${JSON.stringify(PAIR)}], ${JSON.stringify(SWEEP)}, {
    onCell: (cell) => cells.push(cell),
    memoryBudget: 200_000,
  });
  const written = await model.generate({ prompt: "The capital of Spain is", maxNewTokens: 4 });
  const controller = new AbortController();
  const stopped = model.generate(
    { prompt: "One day", maxNewTokens: 60, eosTokenId: null },
    { signal: controller.signal, onPart: () => controller.abort(new Error("stopped here")) },
  );
  const reason = await stopped.catch((error) => error.message);
  const wrong = await model
    .next("")
    .catch((error) => [error.name, error.constructor.name, error.message]);
  await new Promise((resolve) => setTimeout(resolve, 100));
  return { progress, cells: cells.length, effects: effects.toJSON(), written, reason, wrong, tasks };
}
globalThis.ran = run();
`;

interface Ran {
  readonly progress: readonly string[];
  readonly cells: number;
  readonly effects: EffectsJSON;
  readonly written: { readonly original: { readonly text: string } };
  readonly reason: string;
  readonly wrong: readonly string[];
  readonly tasks: readonly number[];
}

let folder = "";
beforeAll(async () => {
  mkdirSync(path.join(ROOT, "out"), { recursive: true });
  folder = mkdtempSync(path.join(ROOT, "out", "worker-"));
  writeFileSync(path.join(folder, "index.html"), PAGE);
  writeFileSync(path.join(folder, "page.ts"), SCRIPT);
  await build({
    configFile: false,
    root: folder,
    base: "./",
    logLevel: "error",
    resolve: { conditions: ["tsvene-source"] },
    worker: { format: "es" },
    build: { target: "es2022", minify: false },
  });
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

browserTest(
  "a worker answers as the library does, and keeps no page from moving for more than 50 ms",
  async ({ site, open }) => {
    const { url } = await site({
      folders: {
        "/": path.join(folder, "dist"),
        "/tsvene-mini/": path.join(ROOT, "models/tsvene-mini"),
      },
    });
    const { page, problems } = await open(url);
    const ran = await page.evaluate<Ran>("ran");
    // Another program may take the processor away for that long: a page that blocks blocks each time.
    let longest = Math.max(0, ...ran.tasks);
    for (let i = 0; longest > 50 && i < 2; i++) {
      const again = await (await open(url)).page.evaluate<Ran>("ran");
      longest = Math.max(0, ...again.tasks);
    }
    expect(longest).toBeLessThanOrEqual(50);
    expect(ran.progress.some((line) => line === "model.safetensors 1")).toBe(true);
    expect(ran.cells).toBe(25);
    expect(ran.written.original.text).toMatch(/^ Madrid/);
    expect(ran.reason).toBe("stopped here");
    expect(ran.wrong).toEqual(["TsveneError", "TsveneError", expect.stringContaining("is empty")]);
    const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
    const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
    const expected = await sweep(model, contrastPairs(tokenizer, [PAIR]), SWEEP);
    const found = Effects.fromJSON(ran.effects).values.values;
    expected.values.values.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 4));
    expect(problems.filter((problem) => !problem.includes("404"))).toEqual([]);
  },
  120_000,
);
