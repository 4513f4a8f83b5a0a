import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { replayInterventionCase } from "../../scripts/parity/intervention-case.ts";

const folder = join(import.meta.dirname, "..", "goldens", "interventions");
const cases = readdirSync(folder);

test.each(cases)("%s gives the recorded numbers", async (name) => {
  const result = await replayInterventionCase(join(folder, name));
  expect(result).toMatchObject({ failed: false });
  expect(result.compared).toBeGreaterThan(0);
  expect(result.worst).toBeLessThanOrEqual(result.tolerance);
});

test("all kinds of recorded cases are there", () => {
  expect(cases.length).toBeGreaterThanOrEqual(140);
});
