import { expect, test } from "vitest";
import { listFiles, runProgram } from "./repository.ts";

const TIMEOUT = 180_000;

test.each(listFiles("examples", ".ts"))(
  "%s runs to its end and prints something",
  async (file) => {
    const { code, stdout, stderr } = await runProgram(file, TIMEOUT);
    expect(code, stderr).toBe(0);
    expect(stdout.trim()).not.toBe("");
  },
  TIMEOUT + 10_000,
);
