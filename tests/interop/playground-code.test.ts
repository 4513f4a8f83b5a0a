import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { pythonOf } from "../../playground/src/code/python.ts";
import { typescriptOf } from "../../playground/src/code/typescript.ts";
import { type Picture, START } from "../../playground/src/picture.ts";
import { STORIES } from "../../playground/src/stories.ts";
import { ROOT } from "../repository/repository.ts";
import { askPythonLines, missingFromPython } from "./python.ts";

const missing = await missingFromPython("torch", "transformers", "pyvene");
const COUNTRIES = { right: " Rome", wrong: " Madrid" };
const NAMES = { right: " Mary", wrong: " John" };

const patch = { intervention: "VanillaIntervention", component: "block_input", layer: 2 } as const;
const PICTURES: Readonly<Record<Picture["view"], readonly [Picture, typeof NAMES, says: string]>> =
  {
    map: [{ ...START, chosen: [{ layer: 0, place: 3 }] }, COUNTRIES, '" Rome",0.99'],
    lens: [{ ...START, view: "lens" }, COUNTRIES, '" Armenia"," is"," Rome"]'],
    heads: [STORIES[1]?.picture ?? START, NAMES, "-23.0352"],
    steer: [
      { ...START, view: "steer", steering: { ...START.steering, tokens: 12 } },
      COUNTRIES,
      "rested",
    ],
    edit: [
      { ...START, view: "edit", edits: [...START.edits, { ...patch, position: 4 }] },
      COUNTRIES,
      '" Rome",0.978',
    ],
  };

let folder = "";
beforeAll(() => {
  mkdirSync(path.join(ROOT, "out"), { recursive: true });
  folder = mkdtempSync(path.join(ROOT, "out", "code-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a program prints. */
async function printed(name: string, code: string): Promise<string[]> {
  const lines: string[] = [];
  const spy = vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  onTestFinished(() => spy.mockRestore());
  const file = path.join(folder, `${name}.ts`);
  writeFileSync(file, code);
  await import(pathToFileURL(file).href);
  return lines;
}

/** Numbers that differ by rounding are the same. */
function rounded(line: string): unknown {
  return JSON.parse(line, (_, value: unknown) =>
    typeof value === "number" ? Number(value.toFixed(3)) + 0 : value,
  );
}

describe.each(Object.entries(PICTURES))(
  "the code of the playground's %s",
  (view, [picture, answers, says]) => {
    test("runs, and says what the page does", async () => {
      const lines = await printed(view, typescriptOf(picture, answers));
      expect(lines.join("\n")).toContain(says);
    });

    test.skipIf(missing)(
      "gives the same in Python",
      async () => {
        const lines = await printed(`${view}-again`, typescriptOf(picture, answers));
        const model = JSON.stringify(path.join(ROOT, "models/tsvene-mini"));
        const code = pythonOf(picture, answers).replace('name = "tsvene-mini"', `name = ${model}`);
        const file = path.join(folder, `${view}.py`);
        writeFileSync(file, code);
        const python = await askPythonLines(file);
        expect(python.map(rounded)).toEqual(lines.map(rounded));
      },
      60_000,
    );
  },
);
