import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { FAMILIES } from "./families.ts";

const HERE = import.meta.dirname;
const LINES = readFileSync(path.join(HERE, "catalogue.ts"), "utf8").match(/^export .*$/gm) ?? [];

test("the catalogue has one line for each folder of a family, in the order of their names", () => {
  const folders = readdirSync(path.join(HERE, "../families")).sort();
  expect(LINES).toEqual(folders.map((name) => `export * from "../families/${name}/${name}.ts";`));
});

test("each family has a model without a head, or one model alone", () => {
  for (const { family, models } of FAMILIES) {
    const names = Object.keys(models);
    expect(names.includes("AutoModel") || names.length === 1, family.modelType).toBe(true);
  }
});
