import { expect } from "vitest";
import { ROOT } from "../repository/repository.ts";
import { browserTest } from "./browser-test.ts";
import { ISOLATED, STRICT_POLICY } from "./serve.ts";

const PAGE = "<!doctype html><title>a page</title><link rel=icon href='data:,'>";

browserTest("pages have the headers that they are served with", async ({ site, open }) => {
  for (const headers of [{}, ISOLATED]) {
    const { url } = await site({ pages: { "/index.html": PAGE }, headers });
    const { page, problems } = await open(url);
    expect(await page.evaluate("crossOriginIsolated")).toBe(headers === ISOLATED);
    expect(problems).toEqual([]);
  }
});

browserTest("what goes wrong in a page is kept", async ({ site, open }) => {
  const script = `<script>console.log("inline")</script><script src="/no.js"></script>`;
  const { url, asked } = await site({
    pages: { "/index.html": PAGE + script },
    folders: { "/": ROOT },
    headers: STRICT_POLICY,
  });
  const { page, problems } = await open(url);
  expect(asked).toEqual(["/index.html", "/no.js"]);
  expect(problems.join("\n")).toMatch(/Content Security Policy/);
  expect(problems.join("\n")).toMatch(/404/);
  expect(await page.evaluate("fetch('/package.json').then((r) => r.status)")).toBe(200);
  expect(await page.evaluate("fetch('/..%2f..%2fetc/passwd').then((r) => r.status)")).toBe(404);
});
