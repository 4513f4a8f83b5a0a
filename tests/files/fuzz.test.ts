import { expect, test } from "vitest";
import { fuzz } from "../../scripts/fuzz/fuzz.ts";
import { targets } from "../../scripts/fuzz/targets.ts";

/** Of all readers together; `npm run fuzz` goes on from there. */
const CASES = 100_000;
const MOST_MEGABYTES = 600;

test.each(Object.entries(targets()))(
  "changed files end in an answer or the library's own error: %s",
  async (name, target) => {
    const cases = Math.ceil((CASES * target.share) / 100);
    const before = process.memoryUsage().rss;
    const { findings, read, refused } = await fuzz(name, target, { cases, seed: 20_261_127 });
    expect(findings.slice(0, 5)).toEqual([]);
    expect(read + refused).toBe(cases);
    expect(refused).toBeGreaterThan(0);
    expect((process.memoryUsage().rss - before) / 1e6).toBeLessThan(MOST_MEGABYTES);
  },
  300_000,
);
