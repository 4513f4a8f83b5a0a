import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Rolldown } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "./repository.ts";

const MOST_BYTES = 320_000;
/** With the engine's script, as it is sent. */
const MOST_ZIPPED = 150_000;
const FAMILY = /\/src\/models\/(?:families|composites)\/([^/]+)\//;

let folder = "";

/** What a page is made of that imports some names. */
async function bundle(...names: readonly string[]): Promise<readonly Rolldown.OutputChunk[]> {
  const list = names.join(", ");
  const page = path.join(folder, `${names.join("-")}.ts`);
  writeFileSync(page, `import { ${list} } from "tsvene";\nconsole.log(${list});\n`);
  const built = await build({
    configFile: false,
    root: ROOT,
    logLevel: "error",
    resolve: { conditions: ["tsvene-source"] },
    build: {
      write: false,
      minify: true,
      target: "es2022",
      rolldownOptions: { input: page },
    },
  });
  if (!("output" in built)) throw new Error("one page gives one bundle");
  return built.output.filter((part) => part.type === "chunk");
}

/** The chunks that a page needs at first. */
function neededAtFirst(chunks: readonly Rolldown.OutputChunk[]): readonly Rolldown.OutputChunk[] {
  const pages = chunks.filter(({ isEntry }) => isEntry);
  expect(pages).toHaveLength(1);
  const [page] = pages;
  if (page === undefined) throw new Error("there is no page");
  return [page, ...chunks.filter(({ fileName }) => page.imports.includes(fileName))];
}

/** Modules of which something is left in a chunk. */
function modulesIn({ modules }: Rolldown.OutputChunk): string[] {
  return Object.entries(modules)
    .filter(([, { renderedLength }]) => renderedLength > 0)
    .map(([id]) => id.replaceAll(path.sep, "/"));
}

/** The families of which something is in chunks. */
function familiesIn(chunks: readonly Rolldown.OutputChunk[]): ReadonlySet<string> {
  return new Set(chunks.flatMap(modulesIn).flatMap((id) => FAMILY.exec(id)?.[1] ?? []));
}

beforeAll(() => {
  mkdirSync(path.join(ROOT, "out"), { recursive: true });
  folder = mkdtempSync(path.join(ROOT, "out", "bundle-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("a page that intervenes on GPT-2 bundles no other family, and is 316 kB, 320 at most", async () => {
  const chunks = await bundle("GPT2LMHeadModel", "IntervenableModel");
  expect([...familiesIn(chunks)]).toEqual(["gpt2"]);
  const needed = neededAtFirst(chunks);
  const bytes = needed.reduce((sum, { code }) => sum + Buffer.byteLength(code), 0);
  expect(bytes).toBeLessThan(MOST_BYTES);
  // A page that lost the library would be small as well.
  expect(bytes).toBeGreaterThan(MOST_BYTES / 2);
  const engine = chunks.filter(({ name }) => name.startsWith("ort.wasm"));
  expect(engine).toHaveLength(1);
  const zipped = [...needed, ...engine].map(({ code }) => gzipSync(code).length);
  expect(zipped.reduce((sum, length) => sum + length, 0)).toBeLessThan(MOST_ZIPPED);
  // What computes is there, though nothing of it is imported by name.
  expect(needed.flatMap(modulesIn).join("\n")).toMatch(/\/src\/runtime\/default-runtime/);
  expect(needed.flatMap(modulesIn).filter((id) => /\/src\/formats\/torch\//.test(id))).toEqual([]);
}, 120_000);

test("a page with an auto class has the families apart for when it is asked for a model", async () => {
  const chunks = await bundle("AutoModelForCausalLM", "IntervenableModel");
  expect([...familiesIn(neededAtFirst(chunks))]).toEqual([]);
  expect(familiesIn(chunks).size).toBeGreaterThan(30);
}, 120_000);
