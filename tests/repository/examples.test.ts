import { expect, test } from "vitest";
import { listFiles, runProgram, TOUR } from "./repository.ts";

const TIMEOUT = 400_000;

/** What must be among the output of an example that shows a finding, at the size at which it runs here. */
const FINDINGS: Readonly<Record<string, readonly RegExp[]>> = {
  "examples/hierarchical-equality.ts": [
    // The network that is written by hand, and its alignment, are right in all examples.
    /^written by hand {2,}1\.000 {2,}1\.000 /m,
    // Of a trained network most of the alignment is found already: random ones give less than .7.
    /^decay, seed 0 {2,}(?:0\.9[89]\d|1\.000) {2,}(?:0\.9\d\d|1\.000) {2,}0\.[456]\d\d /m,
  ],
  "examples/indirect-objects.ts": [
    // The name is at the end after layer 1, and little of it before.
    /^name, other names {2,}16 {2,}0 {2,}end {2,}0\.[0-3]\d\d /m,
    /^name, other names {2,}16 {2,}1 {2,}end {2,}(?:0\.[89]\d\d|1\.000) /m,
    // What moves the answer as a position would with the same names does not with others.
    /^position, same names {2,}16 {2,}0 {2,}subject {2,}(?:0\.9\d\d|1\.000) /m,
    /^position, other names {2,}16 {2,}0 {2,}subject {2,}0\.[3-6]\d\d /m,
  ],
  "examples/price-tagging.ts": [
    // Where the network was made to keep whether the amount reaches the lower bound, that is found.
    /^left, amount, layer 0 {2,}(?:0\.9\d\d|1\.000) {2,}\d\.\d{3} {2,}0\.6\d\d /m,
    // The others are no better than without an edit.
    /^midpoint, amount, layer 0 {2,}0\.[67]\d\d {2,}\d\.\d{3} {2,}0\.6\d\d /m,
    /^bracket, amount, layer 0 {2,}0\.[67]\d\d {2,}\d\.\d{3} {2,}0\.6\d\d /m,
  ],
  "examples/three-numbers.ts": [
    // a + b is in the state after b, and not before or after that; the whole state is swapped.
    /^sum {2,}0\.[01]\d\d {2,}(?:0\.[89]\d\d|1\.000) {2,}0\.[01]\d\d$/m,
    // Eight directions of it are enough, and random ones are not.
    /^Rank 8\n.*\n.*\n.*\nsum {2,}0\.[01]\d\d {2,}(?:0\.[89]\d\d|1\.000) {2,}0\.[01]\d\d$/m,
  ],
};

// The tour has a test of its own, which runs on all versions of Node.
test.each(listFiles("examples", ".ts").filter((file) => file !== TOUR))(
  "%s runs to its end and prints something",
  async (file) => {
    const { code, stdout, stderr } = await runProgram(file, TIMEOUT);
    expect(code, stderr).toBe(0);
    expect(stdout.trim()).not.toBe("");
    for (const finding of FINDINGS[file] ?? []) expect(stdout).toMatch(finding);
  },
  TIMEOUT + 10_000,
);
