import "tsvene";
import { expect, test } from "vitest";
import { relativeBuckets } from "./relative-buckets.ts";

/** Buckets of these relative positions. */
async function buckets(bidirectional: boolean, relative: number[]): Promise<number[]> {
  const all = await relativeBuckets({ buckets: 32, maxDistance: 128, bidirectional }).data();
  return relative.map((r) => Number(all[r + 128]));
}

// Of T5Attention._relative_position_bucket in transformers 5.18.
test("near distances have their own bucket, far ones share", async () => {
  const relative = [-128, -127, -64, -32, -16, -15, -8, -7, -1, 0, 1, 7, 8, 16, 32, 64, 127, 128];
  expect(await buckets(true, relative)).toEqual([
    15, 15, 14, 12, 10, 9, 8, 7, 1, 0, 17, 23, 24, 26, 28, 30, 31, 31,
  ]);
  expect(await buckets(false, relative)).toEqual([
    31, 31, 26, 21, 16, 15, 8, 7, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  ]);
});
