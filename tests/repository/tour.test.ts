import { expect, test } from "vitest";
import { runProgram, TOUR } from "./repository.ts";

const TIMEOUT = 120_000;

test("the tour finds what it says", { timeout: TIMEOUT + 10_000 }, async () => {
  const { code, stdout, stderr } = await runProgram(TOUR, TIMEOUT);
  expect(code, stderr).toBe(0);
  // An MLP is taken away.
  expect(stdout).toMatch(/^" Madrid" {2,}99\.\d% .* {2,}" of" /m);
  // The country enters layer 0 at its own position, and the others at the last.
  expect(stdout).toMatch(/^layer 0 {2}(?:[−]?0\.00\d +){3}0\.99\d +0\.00\d$/m);
  expect(stdout).toMatch(/^layer 4 {2}(?:[−]?0\.00\d +){4}0\.99\d$/m);
  expect(stdout).toMatch(/^output .* Rome$/m);
  expect(stdout).toMatch(/^layer 2 {2,}−2\d\.\d{3} /m);
  expect(stdout).toContain("John[0.99]");
  // Two stories in another mood than the first.
  expect(stdout).toMatch(
    /as it is\n[\s\S]*sorrow[\s\S]*sad to happy\n[\s\S]*happy[\s\S]*smiled" *\n[\s\S]*joy/,
  );
});
