import { expect, test } from "vitest";
import { docstringBlocks, markdownBlocks } from "./blocks.ts";
import { moduleOf, ownImports } from "./module-of.ts";

const fence = (info: string, ...lines: string[]): string =>
  [`\`\`\`${info}`, ...lines, "```"].join("\n");

test("finds the blocks of a page that hold TypeScript", () => {
  const page = [
    "# Title",
    fence("sh", "npm start"),
    fence("ts", "a();", "b();"),
    `\`\`\`\`md\n${fence("ts", "quoted();")}\n\`\`\`\``,
    fence("typescript no-run", "c();"),
  ].join("\n");
  expect(markdownBlocks(page)).toEqual([
    { code: "a();\nb();", line: 6, run: true },
    { code: "c();", line: 15, run: false },
  ]);
});

test("refuses a block that is not closed", () => {
  expect(() => markdownBlocks("text\n```ts\na();")).toThrow("line 2 is not closed");
});

test("finds the blocks of docstrings", () => {
  const code = [
    "const text = '/** ```ts */';",
    "/**",
    " * Adds.",
    " *",
    " * @example",
    " * ```ts",
    " * if (a) {",
    " *   b();",
    " * }",
    " * ```",
    " * @returns the sum",
    " */",
  ].join("\n");
  expect(docstringBlocks(code)).toEqual([{ code: "if (a) {\n  b();\n}", line: 7, run: true }]);
});

test("refuses an @example that nothing would check", () => {
  const code = "\n/**\n * @example\n * add(1, 2)\n * @returns x\n */";
  expect(() => docstringBlocks(code)).toThrow("line 2 has an @example without");
});

test("joins blocks at their lines, and imports each name once", () => {
  const blocks = [
    { line: 3, run: true, code: 'import { a, type T } from "x";\na();' },
    { line: 7, run: true, code: 'import {\n  a,\n  T,\n  b as c,\n} from "x";\nc();' },
  ];
  expect(moduleOf(blocks).split("\n")).toEqual([
    "export {};",
    "",
    'import { a as a } from "x"; import { T as T } from "x";',
    "a();",
    "",
    "",
    'import { b as c } from "x";',
    "",
    "",
    "",
    "",
    "c();",
    "",
  ]);
});

test("keeps an import of the same name from another module, which is an error", () => {
  const code = 'import { a } from "x";\nimport { a } from "y";';
  expect(moduleOf([{ line: 2, run: true, code }])).toBe(`export {};\n${code}\n`);
});

test("imports what the file exports, as far as its example mentions it", () => {
  const file = "export interface T {}\nexport const a = 1, b = 2, c = 3, d = 4;";
  const code = 'import { b } from "x";\nconst c: T = a + b;';
  expect(ownImports({ line: 2, run: true, code }, file, "./f.ts")).toBe(
    'import { type T } from "./f.ts"; import { a } from "./f.ts";',
  );
});
