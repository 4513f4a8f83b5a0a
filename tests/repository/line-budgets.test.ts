import { expect, test } from "vitest";
import {
  budgetViolations,
  LINE_BUDGETS,
  linesByLayer,
  linesOfCode,
} from "../../scripts/line-budgets.ts";

test.each([
  ["", 0],
  ["\n\n", 0],
  ["// one\n/* two\n\nthree */\n/** four */\n", 0],
  ["const a = 1; // with a reason\n", 1],
  ["/* a */ const a = 1; /* b\nc */ const b = 2;\n", 2],
  ["const text = `\n// not a comment\n`;\n", 3],
  ['const path = "/*";\nconst end = "*/";\n', 2],
])("the lines of %j are %i", (code, count) => {
  expect(linesOfCode("a.ts", code)).toBe(count);
});

test("lines are counted by layer", () => {
  const lines = linesByLayer([
    ["src/nn/a.ts", "const a = 1;\n\nconst b = 2;\n"],
    ["src/nn/layers/b.ts", "// nothing\nconst c = 3;\n"],
    ["src/tensor/c.ts", "const d = 4;\n"],
    ["src/index.ts", "const e = 5;\n"],
  ]);
  expect(lines).toMatchObject({ nn: 3, tensor: 1, models: 0 });
});

test("a layer over its budget is named, with what to do about it", () => {
  expect(budgetViolations(LINE_BUDGETS)).toEqual([]);
  const [message, ...more] = budgetViolations({ ...LINE_BUDGETS, optim: LINE_BUDGETS.optim + 7 });
  expect(more).toEqual([]);
  expect(message).toMatch(
    /^src\/optim has \d+ lines of code, 7 more than its budget of \d+: .* LINE_BUDGETS\.optim/,
  );
});
