import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { FAMILIES } from "./families.ts";

const HERE = import.meta.dirname;
const LINES = readFileSync(path.join(HERE, "catalogue.ts"), "utf8").match(/^export .*$/gm) ?? [];

test("the catalogue has one line for each folder of a family", () => {
  const files = ["composites", "families"].flatMap((room) =>
    readdirSync(path.join(HERE, "..", room)).map((name) => `../${room}/${name}/${name}.ts`),
  );
  expect([...LINES].sort()).toEqual(files.map((file) => `export * from "${file}";`).sort());
});

test("each family has a model without a head, or one model alone", () => {
  for (const { family, models } of FAMILIES) {
    const names = Object.keys(models);
    expect(names.includes("AutoModel") || names.length === 1, family.modelType).toBe(true);
  }
});
