import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { AutoModelForCausalLM, AutoTokenizer, contrastPairs, steeringVector, sweep } from "tsvene";
import { build } from "vite";
import { afterAll, beforeAll, expect } from "vitest";
import { writeLink } from "../../playground/src/permalink.ts";
import { type Picture, START } from "../../playground/src/picture.ts";
import { STORIES } from "../../playground/src/stories.ts";
import { ROOT } from "../repository/repository.ts";
import { browserTest } from "./browser-test.ts";

const TIMEOUT = 120_000;
const SLOW = { timeout: 60_000 } as const;

let folder = "";
beforeAll(async () => {
  mkdirSync(path.join(ROOT, "out"), { recursive: true });
  folder = mkdtempSync(path.join(ROOT, "out", "playground-"));
  await build({
    configFile: path.join(ROOT, "playground/vite.config.ts"),
    root: path.join(ROOT, "playground"),
    logLevel: "error",
    build: { outDir: folder, emptyOutDir: false },
  });
}, TIMEOUT);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Waits until all cells of the table have numbers, and gives those in full, as they are saved. */
async function savedNumbers(page: Page): Promise<number[]> {
  await page.locator(".exports button:enabled").first().waitFor(SLOW);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "JSON" }).click(),
  ]);
  const { rows } = JSON.parse(readFileSync(await download.path(), "utf8")) as {
    readonly rows: readonly (readonly number[])[];
  };
  return rows.flat();
}

/** What accessibility rules find wrong. */
async function wrongInPage(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const run = `axe.run().then(({ violations }) => violations.map(({ id, nodes }) =>
    id + ": " + nodes.map(({ html }) => html).join(" ")))`;
  return page.evaluate<string[]>(run);
}

/** What went wrong, without files that a model may have and this one has not. */
function serious(problems: readonly string[]): string[] {
  return problems.filter((problem) => !/ERR_ABORTED|status of 404/.test(problem));
}

/** What the page says, but for its stories: which of them was chosen is not part of the picture. */
async function shown(page: Page): Promise<string> {
  await page.evaluate("document.querySelector('.stories').remove()");
  return page.locator("main").innerText();
}

async function here(picture: Picture) {
  const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
  const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
  const { clean, corrupt } = picture;
  const right = picture.right === "" ? " Rome" : picture.right;
  const wrong = picture.wrong === "" ? " Madrid" : picture.wrong;
  return { model, tokenizer, pairs: contrastPairs(tokenizer, [{ clean, corrupt, right, wrong }]) };
}

function near(found: readonly number[], expected: ArrayLike<number>): void {
  expect(found).toHaveLength(expected.length);
  const most = Math.max(...Array.from(expected, Math.abs));
  Array.from(expected).forEach((value, i) =>
    expect(Math.abs((found[i] ?? NaN) - value)).toBeLessThan(1e-5 * Math.max(1, most)),
  );
}

browserTest(
  "where a fact is: from the first click to the link, which shows the same in a new window",
  async ({ site, open }) => {
    const { url } = await site({ folders: { "/": folder } });
    const { page, problems } = await open(url);
    await page.getByRole("button", { name: "Where is a fact?" }).click();
    const numbers = await savedNumbers(page);
    const { model, pairs } = await here(START);
    const sites = { component: "block_input", layer: "all", position: "all" } as const;
    near(numbers, (await sweep(model, pairs, { sites, metric: "probability" })).change().values);

    await page.getByRole("button", { name: /^layer 0, position 3/ }).focus();
    await page.keyboard.press("Enter");
    const patched = page.locator(".patched section", { hasText: "With them" });
    await patched.locator("li", { hasText: "Rome" }).first().waitFor(SLOW);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Space");
    await page.locator(".tag", { hasText: "layer 1" }).waitFor();
    await expect.poll(async () => patched.locator("li").first().innerText()).toMatch(/Rome/);
    expect(await wrongInPage(page)).toEqual([]);
    expect(await page.locator(".code").innerText()).not.toContain("undefined");

    const again = await open(page.url());
    await again.page.locator(".tag", { hasText: "layer 1" }).waitFor(SLOW);
    near(await savedNumbers(again.page), numbers);
    await again.page.locator(".patched li", { hasText: "Rome" }).first().waitFor(SLOW);
    await expect.poll(() => again.page.locator(".patched li").count()).toBe(10);
    expect(await shown(again.page)).toBe(await shown(page));
    expect(serious([...problems, ...again.problems])).toEqual([]);
  },
  TIMEOUT,
);

browserTest(
  "which head moves a name: the grid of heads, and where one looks",
  async ({ site, open }) => {
    const { url } = await site({ folders: { "/": folder } });
    const { page, problems } = await open(url);
    await page.getByRole("button", { name: "Which head moves a name?" }).click();
    const numbers = await savedNumbers(page);
    const picture = STORIES[1]?.picture ?? START;
    const { model, pairs } = await here(picture);
    const sites = { component: "head_attention_value_output", layer: "all", head: "all" } as const;
    const effects = await sweep(model, pairs, { sites, direction: "noise" });
    near(numbers, effects.change().values);
    await page.getByRole("button", { name: /^layer 3, head 2/ }).click();
    await page.getByText("Where head 2 of layer 3 looks").waitFor(SLOW);
    expect(await wrongInPage(page)).toEqual([]);
    const again = await open(page.url());
    await again.page.getByText("Where head 2 of layer 3 looks").waitFor(SLOW);
    near(await savedNumbers(again.page), numbers);
    expect(await shown(again.page)).toBe(await shown(page));
    expect(serious(problems)).toEqual([]);
  },
  TIMEOUT,
);

browserTest(
  "how a direction changes a mood: both texts are those of Node, in the dark and on a phone",
  async ({ site, browser }) => {
    const { url } = await site({ folders: { "/": folder } });
    const { steering } = START;
    const view = { viewport: { width: 390, height: 800 }, colorScheme: "dark" } as const;
    const context = await browser.newContext(view);
    const page = await context.newPage();
    await page.goto(url);
    await page.getByRole("button", { name: "How does a direction change a mood?" }).click();
    await page.getByLabel("New tokens").fill("15");
    const stories = page.locator(".columns[aria-busy=false] .story p");
    const { model, tokenizer } = await here(START);
    const found = await steeringVector(model, {
      tokenizer,
      positive: steering.positive,
      negative: steering.negative,
      sites: { component: "block_output", layer: 1 },
    });
    const [original, intervened] = await found
      .intervention()
      .generate(tokenizer.tokenize(steering.prompt), { maxNewTokens: 15, steps: "all" });
    const [first, second] = [await original, intervened].map(
      ({ sequences }) => tokenizer.batchDecode(sequences)[0],
    );
    await expect.poll(async () => stories.allInnerTexts(), SLOW).toEqual([first, second]);
    expect(await wrongInPage(page)).toEqual([]);
    const wider = "document.documentElement.scrollWidth > innerWidth";
    expect(await page.evaluate(wider)).toBe(false);
    const again = await context.newPage();
    await again.goto(page.url());
    const same = again.locator(".columns[aria-busy=false] .story p");
    await expect.poll(async () => same.allInnerTexts(), SLOW).toEqual([first, second]);
    await context.close();
  },
  TIMEOUT,
);

browserTest(
  "texts from outside stay texts, and what cannot be shown is said in words",
  async ({ site, open }) => {
    const { url } = await site({ folders: { "/": folder } });
    const markup = `<img src=x onerror="document.title='taken'"> <script>1</script>`;
    const hostile = {
      ...START,
      clean: markup,
      corrupt: markup,
      component: markup,
      model: { from: "page", name: "tsvene-mini" },
    } as const;
    const { page, problems } = await open(url + "/" + writeLink(hostile));
    await page.getByText("The first goes on with").waitFor(SLOW);
    await page.locator(".strips td").first().waitFor(SLOW);
    await page.locator(".problem").waitFor(SLOW);
    expect(await page.locator("main img, main script").count()).toBe(0);
    expect(await page.title()).toBe("tsvene playground");
    expect(serious(problems)).toEqual([]);

    const say = async (hash: string): Promise<string> => {
      const { page: opened } = await open(`${url}/${hash}`);
      const said = opened.locator(".problem").first();
      await said.waitFor(SLOW);
      return said.innerText();
    };
    expect(await say("#v2:%7B%7D")).toContain("later version");
    expect(await say("#v1:%7B")).toContain("damaged");
    expect(await say(`#v1:${encodeURIComponent('{"view":"<b>","x":1}')}`)).toContain("view, x");
    expect(await say(writeLink({ ...START, clean: "" }))).toContain("first prompt is empty");
    const longer = { ...START, corrupt: "The capital of sunny Spain is" };
    expect(await say(writeLink(longer))).toMatch(/5 tokens and the second \d/);
    const elsewhere = { ...START, model: { from: "url", name: `${url}/nowhere/` } } as const;
    expect(await say(writeLink(elsewhere))).toContain("could not be loaded");
  },
  TIMEOUT,
);
