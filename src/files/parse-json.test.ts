import { describe, expect, it } from "vitest";
import { FileSourceError } from "./file-source-error.ts";
import { DEEPEST_JSON, parseJson } from "./parse-json.ts";

function nested(depth: number, [open, close]: readonly [string, string]): string {
  return open.repeat(depth) + close.repeat(depth);
}

describe("parseJson", () => {
  it("reads what is nested as deeply as may be, and refuses the next", () => {
    expect(() => parseJson(nested(DEEPEST_JSON, ["[", "]"]), "f")).not.toThrow();
    expect(() => parseJson(nested(DEEPEST_JSON + 1, ["[", "]"]), "f")).toThrow(FileSourceError);
  });

  it.each(["[", '{"a":', '[{"a":'])("answers a million of %s by its own error", (open) => {
    expect(() => parseJson(open.repeat(1e6), "config.json")).toThrow(
      /config\.json: more than 128 arrays and objects/,
    );
  });

  it("counts no brackets of texts", () => {
    const text = "[{".repeat(200);
    const json = JSON.stringify({ text, escaped: `\\"${text}` });
    expect(parseJson(json, "f")).toEqual({ text, escaped: `\\"${text}` });
  });

  it.each(["", "{", '{"a": 1,}', '"\\', "[1, NaN]"])("says what is wrong with %j", (text) => {
    expect(() => parseJson(text, "there: a.json")).toThrow(/^there: a\.json is not valid JSON: ./);
  });

  it("lets a key named __proto__ change nothing", () => {
    const value = parseJson('{"__proto__": {"polluted": true}}', "f") as Record<string, unknown>;
    expect(value["polluted"]).toBeUndefined();
    expect({ ...value }["polluted"]).toBeUndefined();
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});
