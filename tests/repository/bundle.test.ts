import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build, type Rolldown } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "./repository.ts";

const MOST_BYTES = 270_000;
const FAMILY = /\/src\/models\/families\/([^/]+)\//;

let folder = "";
let chunks: readonly Rolldown.OutputChunk[] = [];

/** Modules of which something is left in a chunk. */
function modulesIn({ modules }: Rolldown.OutputChunk): string[] {
  return Object.entries(modules)
    .filter(([, { renderedLength }]) => renderedLength > 0)
    .map(([id]) => id.replaceAll(path.sep, "/"));
}

beforeAll(async () => {
  mkdirSync(path.join(ROOT, "out"), { recursive: true });
  folder = mkdtempSync(path.join(ROOT, "out", "bundle-"));
  const page = path.join(folder, "page.ts");
  writeFileSync(
    page,
    'import { GPT2LMHeadModel, IntervenableModel } from "tsvene";\n' +
      "console.log(GPT2LMHeadModel, IntervenableModel);\n",
  );
  const built = await build({
    configFile: false,
    root: ROOT,
    logLevel: "error",
    resolve: { conditions: ["tsvene-source"] },
    build: {
      write: false,
      minify: true,
      target: "es2022",
      rolldownOptions: { input: page, external: [/^onnxruntime/] },
    },
  });
  if (!("output" in built)) throw new Error("one page gives one bundle");
  chunks = built.output.filter((part) => part.type === "chunk");
}, 120_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("a page that intervenes on GPT-2 bundles no other family", () => {
  const families = chunks.flatMap(modulesIn).flatMap((id) => FAMILY.exec(id)?.[1] ?? []);
  expect([...new Set(families)]).toEqual(["gpt2"]);
});

test("it is 250 kB minified, 270 at most, with what reads files apart for when it is asked for", () => {
  const pages = chunks.filter(({ isEntry }) => isEntry);
  expect(pages).toHaveLength(1);
  const [page] = pages;
  if (page === undefined) throw new Error("there is no page");
  const needed = [page, ...chunks.filter(({ fileName }) => page.imports.includes(fileName))];
  const bytes = needed.reduce((sum, { code }) => sum + Buffer.byteLength(code), 0);
  expect(bytes).toBeLessThan(MOST_BYTES);
  // A page that lost the library would be small as well.
  expect(bytes).toBeGreaterThan(MOST_BYTES / 2);
  expect(needed.flatMap(modulesIn).filter((id) => /\/src\/formats\/torch\//.test(id))).toEqual([]);
});
