import { type Browser, chromium, type Page } from "playwright-core";
import { test as base, type TestAPI } from "vitest";
import { CHROMIUM, CHROMIUM_FLAGS } from "./chromium.ts";
import { serve, type Site, type SiteOptions } from "./serve.ts";

/** A page of a window of its own: nothing that another stored is there. */
export interface Opened {
  readonly page: Page;
  /** What went wrong so far: errors of the console and of scripts, and requests that failed. */
  readonly problems: readonly string[];
}

/** What a test in Chromium is given. */
export interface BrowserFixtures {
  /** The browser, one for the tests of a file. */
  readonly browser: Browser;
  /** Serves static files until the test ends. */
  readonly site: (options: SiteOptions) => Promise<Site>;
  /** Opens a page in a new window, which is closed when the test ends. */
  readonly open: (url: string) => Promise<Opened>;
}

async function openPage(browser: Browser, url: string): Promise<Opened> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("console", (message) => {
    const { url: where } = message.location();
    if (message.type() === "error") problems.push(`console: ${where} ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`page: ${error.stack ?? error.message}`));
  page.on("requestfailed", (request) => {
    const { errorText = "" } = request.failure() ?? {};
    // Whoever asked has given it up, as the body of an answer that says that a file is not there.
    if (errorText === "net::ERR_ABORTED") return;
    problems.push(`request: ${request.url()} ${errorText}`);
  });
  await page.goto(url);
  return { page, problems };
}

const withBrowser: TestAPI<BrowserFixtures> = base.extend<BrowserFixtures>({
  browser: [
    // Vitest reads what a fixture needs off its first parameter, which must be a pattern.
    // oxlint-disable-next-line no-empty-pattern
    async ({}, use) => {
      if (CHROMIUM === undefined) throw new Error("there is no Chromium");
      const browser = await chromium.launch({
        executablePath: CHROMIUM,
        args: [...CHROMIUM_FLAGS],
      });
      await use(browser);
      await browser.close();
    },
    { scope: "file" },
  ],
  // oxlint-disable-next-line no-empty-pattern
  site: async ({}, use) => {
    const sites: Site[] = [];
    await use(async (options) => {
      const started = await serve(options);
      sites.push(started);
      return started;
    });
    for (const started of sites) started.close();
  },
  open: async ({ browser }, use) => {
    const opened: Opened[] = [];
    await use(async (url) => {
      const page = await openPage(browser, url);
      opened.push(page);
      return page;
    });
    await Promise.all(opened.map(async ({ page }) => page.context().close()));
  },
});

/**
 * A test that is given a real Chromium; it is skipped on a machine without one.
 *
 * @example
 * browserTest("says its title", async ({ site, open }) => {
 *   const { url } = await site({ pages: { "/index.html": "<title>a</title>" } });
 *   const { page, problems } = await open(url);
 *   expect(await page.title()).toBe("a");
 *   expect(problems).toEqual([]);
 * });
 */
export const browserTest: TestAPI<BrowserFixtures>["skip"] =
  CHROMIUM === undefined ? withBrowser.skip : withBrowser;
