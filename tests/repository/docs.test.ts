import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { brokenLinks } from "./docs/links.ts";
import { MODULES_FOLDER, pages, writeDocModules, type DocModule } from "./docs/modules.ts";
import { typeCheck } from "./docs/type-check.ts";
import { runProgram } from "./repository.ts";

const PAGE_TIMEOUT = 120_000;

const { inPages, inDocstrings } = writeDocModules();
const errors = typeCheck([...inPages, ...inDocstrings]);

test.each([...inPages, ...inDocstrings].map(({ name }) => name))("types of %s", (name) => {
  expect(errors.get(name) ?? []).toEqual([]);
});

test.each(running(inPages))(
  "code of %s",
  async (page, run) => {
    const { code, stdout, stderr } = await runProgram(run, PAGE_TIMEOUT);
    if (code !== 0) throw new Error(`${page} failed:\n${withSource(stderr + stdout)}`);
  },
  PAGE_TIMEOUT + 10_000,
);

// In this process, because there are many and each is short.
test.each(running(inDocstrings))("example of %s", async (name, run) => {
  for (const method of ["log", "table"] as const) {
    const spy = vi.spyOn(console, method).mockImplementation(() => undefined);
    onTestFinished(() => spy.mockRestore());
  }
  try {
    await import(pathToFileURL(run).href);
  } catch (cause) {
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    throw new Error(`the example of ${name} failed:\n${withSource(text)}`, { cause });
  }
});

test.each(pages())("links of %s", (page) => {
  expect(brokenLinks(page)).toEqual([]);
});

function running(modules: readonly DocModule[]): [name: string, run: string][] {
  return modules.flatMap(({ name, run }) => (run === undefined ? [] : [[name, run]]));
}

/** Names the documented file in place of its module, which has the same line numbers. */
function withSource(text: string): string {
  return text
    .replaceAll(pathToFileURL(MODULES_FOLDER).href, MODULES_FOLDER)
    .replaceAll(`${MODULES_FOLDER}/run/`, "")
    .replaceAll(/(\.md|\.ts)(?:-L\d+)?\.ts:(\d+)/g, "$1:$2");
}
