import { cp, mkdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { Page } from "playwright-core";
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  IntervenableModel,
  VanillaIntervention,
} from "tsvene";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { ROOT } from "../repository/repository.ts";
import { type BrowserFixtures, browserTest } from "./browser-test.ts";
import { bundlers } from "./bundlers.ts";
import { CHROMIUM } from "./chromium.ts";
import { ISOLATED, type SiteOptions, STRICT_POLICY } from "./serve.ts";
import { stagePackage } from "./stage-package.ts";

const SLOW = 120_000;
const MODEL = path.join(ROOT, "models", "tsvene-mini");
const HTML = `<!doctype html><title>a page</title><link rel="icon" href="/icon.svg">
<script type="module" src="page.js"></script>`;

const PAGE = "page.js";
const WITH_PLOT = "page-with-plot.js";

let project = "";
let wanted: readonly number[] = [];

/** What `page.js` does, in Node. */
async function numbersInNode(): Promise<readonly number[]> {
  const model = await AutoModelForCausalLM.fromPretrained(MODEL);
  const tokenizer = await AutoTokenizer.fromPretrained(MODEL);
  const intervenable = new IntervenableModel(
    { layer: 0, component: "block_output", intervention: VanillaIntervention },
    model,
  );
  const { intervened } = intervenable.forward(tokenizer.tokenize("The capital of Spain is"), {
    sources: tokenizer.tokenize("The capital of Italy is"),
    unitLocations: { "sources->base": 3 },
  });
  return Array.from(await intervened.logits.select(1, -1).data(), Number);
}

beforeAll(async () => {
  if (CHROMIUM === undefined) return;
  [project, wanted] = await Promise.all([stagePackage(), numbersInNode()]);
  for (const page of [PAGE, WITH_PLOT]) {
    await cp(path.join(import.meta.dirname, page), path.join(project, page));
  }
}, SLOW);

afterAll(async () => {
  if (project !== "") await rm(project, { recursive: true, force: true });
});

/** Opens a built page, and compares what it says with what Node says. */
async function expectNumbers(
  { site, open }: Pick<BrowserFixtures, "site" | "open">,
  { folders, pages = {}, headers = {} }: SiteOptions,
): Promise<Page> {
  const { url } = await site({
    pages: {
      "/index.html": HTML,
      "/icon.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
      ...pages,
    },
    folders: { "/model/": MODEL, ...folders },
    headers: { ...STRICT_POLICY, ...headers },
  });
  const { page, problems } = await open(url);
  const numbers = (await page.evaluate("globalThis.answer").catch((error: unknown) => {
    throw new Error([String(error), ...problems].join("\n"));
  })) as number[];
  expect(numbers).toHaveLength(wanted.length);
  const distances = numbers.map((number, i) => Math.abs(number - (wanted[i] ?? NaN)));
  expect(Math.max(...distances)).toBeLessThanOrEqual(1e-5);
  // A browser says of each file that a model may do without that it is not there.
  expect(problems.filter((problem) => !/\/models?\//.test(problem))).toEqual([]);
  return page;
}

async function expectPicture(page: Page): Promise<void> {
  expect(await page.evaluate("globalThis.picture")).toMatch(/^<svg.*<title>A map/s);
}

describe("a page computes what Node does, under a strict policy, built by", () => {
  browserTest.for(Object.entries(bundlers))(
    "%s",
    { timeout: SLOW },
    async ([name, build], { site, open }) => {
      const outdir = path.join(project, `built-${name}`);
      await mkdir(outdir);
      await build(path.join(project, PAGE), outdir);
      const folders = { "/": outdir };
      await expectNumbers({ site, open }, { folders });
      // With threads, each of which loads a script of its own.
      await expectNumbers({ site, open }, { folders, headers: ISOLATED });
    },
  );

  browserTest("Vite, with plots", { timeout: SLOW }, async ({ site, open }) => {
    const outdir = path.join(project, "built-with-plot");
    await mkdir(outdir);
    await bundlers["Vite"]?.(path.join(project, WITH_PLOT), outdir);
    await expectPicture(await expectNumbers({ site, open }, { folders: { "/": outdir } }));
  });

  browserTest("nothing, from a static folder", { timeout: SLOW }, async ({ site, open }) => {
    const [page = "", plot = ""] = await Promise.all(
      [PAGE, WITH_PLOT].map(async (name) => {
        const script = await readFile(path.join(project, name), "utf8");
        return script.replace('"tsvene"', '"/tsvene/dist/browser/index.js"');
      }),
    );
    const interchange = page
      .replaceAll("GPT2LMHeadModel", "AutoModelForCausalLM")
      .replace(/^const place = .*$/m, 'const place = "tsvene-mini";');
    const pages = {
      "/page.js": plot.replace("./page.js", "./interchange.js"),
      "/interchange.js": interchange,
    };
    const folders = { "/tsvene/": path.join(project, "node_modules", "tsvene") };
    for (const headers of [{}, ISOLATED]) {
      await expectPicture(await expectNumbers({ site, open }, { folders, pages, headers }));
    }
  });
});
