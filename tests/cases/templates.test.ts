import { readFile } from "node:fs/promises";
import { AutoTokenizer, TokenizerError } from "tsvene";
import { describe, expect, test } from "vitest";

const CASES = "tests/cases/27-template-expressions/case.json";

interface Case {
  readonly template: string;
  readonly text?: string;
  readonly error?: string;
}

const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
const recorded = JSON.parse(await readFile(CASES, "utf8")) as {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly cases: readonly Case[];
};

function apply(chatTemplate: string): string {
  return tokenizer.applyChatTemplate(recorded.messages, {
    chatTemplate,
    tokenize: false,
    variables: { eos_token: "</s>" },
  });
}

describe("chat templates", () => {
  test.each(recorded.cases)("$template is written as in Python", ({ template, text, error }) => {
    if (error === undefined) expect(apply(template)).toBe(text);
    else expect(() => apply(template)).toThrow(TokenizerError);
  });

  test.each(["macro-recursion", "range-1e9"])("%s is refused at once", async (name) => {
    const template = await readFile(`tests/cases/hostile-templates/${name}.jinja`, "utf8");
    expect(() => apply(template)).toThrow(TokenizerError);
  });

  test("parentheses 20,000 deep are refused at once", () => {
    expect(() => apply(`{{ ${"(".repeat(20_000)}1${")".repeat(20_000)} }}`)).toThrow(
      /nests deeper/,
    );
  });
});
