import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { FAMILIES } from "../../src/models/catalogue/families.ts";
import { snakeCase } from "../../src/models/settings/config.ts";
import type { SettingsTable } from "../../src/models/settings/define-settings.ts";

const listed = (names: readonly string[]): string =>
  names.length === 0 ? "none" : names.join(", ");
const code = (name: string): string => `\`${snakeCase(name)}\``;

/** The row of a family's settings in the table of the guide. */
function rowOf({ name, all, older = {}, inert = [], neutral = {} }: SettingsTable): string[] {
  const settings = [...all].map(([own, { names = [] }]) => [own, ...names].map(code).join(" = "));
  const harmless = Array.isArray(inert) ? (inert as string[]) : Object.keys(inert);
  const former = Object.keys(older).filter((other) => !all.has(other));
  const others = [former, harmless, Object.keys(neutral)];
  return [name, listed(settings), ...others.map((names) => listed(names.map(code)))];
}

test("the guide has a row for the settings of each family, and no other", async () => {
  const page = await readFile("docs/guide/files.md", "utf8");
  const [, section = ""] = page.split("Settings of each family");
  const lines = section.split("\n## ")[0]?.match(/^\| \w+Config +\|.*$/gm) ?? [];
  const rows = lines.map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim())); // prettier-ignore
  const wanted = FAMILIES.flatMap(({ family }) => family.settings ?? []).map(rowOf);
  const byName = ([a = ""]: string[], [b = ""]: string[]): number => (a < b ? -1 : 1);
  expect(rows.toSorted(byName)).toEqual([...new Map(wanted.map((row) => [row[0], row])).values()].toSorted(byName)); // prettier-ignore
});
