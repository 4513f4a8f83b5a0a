import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { snakeCase } from "./config.ts";
import { FAMILIES } from "../catalogue/families.ts";
import type { SettingsTable } from "./define-settings.ts";
import { INERT_FIELDS, NEUTRAL_FIELDS } from "./inert-fields.ts";

const TABLES: readonly SettingsTable[] = FAMILIES.flatMap(({ family }) => family.settings ?? []);

/** Values that some kinds of settings cannot have. */
const NONSENSE = ["32000", "", NaN, -1.5, 0, 2.5, Infinity, true, [[]], { a: 1 }, null];

/** Settings of which null is none, as some files have it. */
const READS_NULL = /^(hiddenAct|depths|hiddenSizes|numStages|outFeatures|outIndices|stageNames)$/;

function inertOf({ inert = [] }: SettingsTable): readonly string[] {
  return Array.isArray(inert) ? inert : Object.keys(inert);
}

const fields = (given: object): never => given as never;

test("all families have a table", () => {
  expect(TABLES.length).toBe(FAMILIES.length);
});

describe.each(TABLES.map((table, i) => [`${table.name} ${i}`, table] as const))(
  "%s",
  (_, table) => {
    const { all, modelType } = table;

    test("refuses what a setting cannot be, from files and from code", () => {
      for (const [name, row] of all) {
        // Where null means none, what translates older names takes it for that.
        const nullable = name in (table.older ?? {}) || READS_NULL.test(name);
        const wrong = NONSENSE.filter((v) => !row.accepts(v) && !(nullable && v === null));
        expect(wrong.length).toBeGreaterThan(0);
        for (const value of wrong) {
          expect(() => table.read({ [name]: value })).toThrow(name);
          expect(() => table.fromFields(fields({ modelType, [name]: value }))).toThrow(
            snakeCase(name),
          );
        }
      }
    });

    test("reads what it has read once more as the same", () => {
      const config = table.read(table.read({}));
      expect(table.read(config)).toEqual(config);
    });

    test("a setting is the same under each of its names, and two answers are refused", () => {
      for (const [name, { names = [], fallback }] of all) {
        for (const other of names) {
          expect(table.read({ [other]: fallback })).toEqual(table.read({ [name]: fallback }));
          const two = { [other]: Number(fallback) * 2, [name]: fallback };
          expect(() => table.fromFields(fields(two))).toThrow(snakeCase(other));
        }
      }
    });

    test("refuses unknown settings, and the nearest known are named", () => {
      const [first = ""] = all.keys();
      expect(() => table.read({ [`${first}x`]: 1 })).toThrow(
        new RegExp(`there is no setting ${first}x; did you mean ${first}`),
      );
    });

    test("takes fields that change nothing, and refuses those that would", () => {
      for (const name of INERT_FIELDS.flatMap(({ names }) => names)) {
        if (name.includes(".")) continue;
        const own = name.replace("*", "x").replace(/_([a-z])/g, (_m, c: string) => c.toUpperCase());
        const rows = [...all].flatMap(([row, { names = [] }]) => [row, ...names]);
        const special = own in (table.older ?? {}) || own in (table.neutral ?? {});
        if (special || rows.includes(own)) continue;
        expect(() => table.read({ [own]: {} })).not.toThrow();
      }
      for (const [name, { values }] of NEUTRAL_FIELDS) {
        const own = all.has(name) || name in (table.neutral ?? {});
        if (own || inertOf(table).includes(name)) continue;
        expect(() => table.read({ [name]: values[0] })).not.toThrow();
        expect(() => table.read({ [name]: 7 })).toThrow(name);
      }
    });
  },
);

/** The table of fields that change nothing in any family, as the guide holds it. */
function rowsOfGuide(): string[] {
  const inert = INERT_FIELDS.map(
    ({ names, why }) => `| ${names.map((n) => `\`${n}\``).join(", ")} | ignored: ${why} |`,
  );
  const neutral = [...NEUTRAL_FIELDS].map(([name, { values, why }]) => {
    const harmless = values.map((v) => `\`${JSON.stringify(v)}\``).join(", ");
    return `| \`${snakeCase(name)}\` | refused unless ${harmless}: ${why} |`;
  });
  return [...inert, ...neutral];
}

/** Names of all settings of a family in files. */
function rowOfFamily(table: SettingsTable): string {
  const { name, all, older = {}, neutral = {} } = table;
  const own = [...all].map(([setting, { names = [] }]) =>
    [setting, ...names].map((n) => `\`${snakeCase(n)}\``).join(" = "),
  );
  const others = Object.keys(older).filter((n) => !all.has(n));
  const list = (names: readonly string[]): string =>
    names.length === 0 ? "none" : names.map((n) => `\`${snakeCase(n)}\``).join(", ");
  return `| ${name} | ${own.join(", ")} | ${list(others)} | ${list(inertOf(table))} | ${list(Object.keys(neutral))} |`;
}

test("the guide holds these tables", async () => {
  const guide = await readFile(new URL("../../../docs/guide/files.md", import.meta.url), "utf8");
  const bare = (line: string): string => line.replace(/\s+/g, " ");
  const lines = new Set(guide.split("\n").map(bare));
  const wanted = [...rowsOfGuide(), ...new Set(TABLES.map(rowOfFamily))];
  expect(wanted.filter((row) => !lines.has(bare(row)))).toEqual([]);
});
