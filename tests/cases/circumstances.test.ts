import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { replayCircumstance } from "../../scripts/parity/circumstances/replay.ts";

/** Recorded circumstances with their models, of which the small copies here are parts. */
const PLACE = fileURLToPath(new URL("../../../shared/cases", import.meta.url));

const RECORDED = existsSync(PLACE)
  ? readdirSync(PLACE).filter((name) => existsSync(join(PLACE, name, "case.json")))
  : [];

/** What the original refuses as well. */
const REFUSED: ReadonlySet<string> = new Set([
  '27-template-expressions/"{{ messages[0].a.b is defined }}"',
  '27-template-expressions/"{% do messages.append(1) %}"',
]);

test.skipIf(RECORDED.length === 0)("circumstances of every kind are recorded", () => {
  expect(RECORDED.length).toBeGreaterThanOrEqual(9);
});

describe.skipIf(RECORDED.length === 0)("circumstances in which libraries go wrong", () => {
  test.each(RECORDED)("%s comes out as recorded", async (name) => {
    const results = await replayCircumstance(join(PLACE, name));
    expect(results.length).toBeGreaterThan(0);
    expect(results.filter(({ failed }) => failed)).toEqual([]);
    const refused = results.filter((result) => result.refused !== undefined);
    expect(refused.filter((result) => !REFUSED.has(result.name))).toEqual([]);
  });
});
