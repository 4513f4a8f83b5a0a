import { expect, test } from "vitest";
import { configText } from "./config-text.ts";

test("fractions have a decimal point, other numbers have none", () => {
  const fields = { clip_qkv: 3, hidden_size: 3, rms_norm_eps: 1e-6, final_logit_softcapping: null };
  expect(configText({ ...fields, text_config: { layer_norm_eps: 1 } })).toBe(`{
  "clip_qkv": 3.0,
  "hidden_size": 3,
  "rms_norm_eps": 0.000001,
  "final_logit_softcapping": null,
  "text_config": {
    "layer_norm_eps": 1.0
  }
}
`);
});

test("in lists too, and the values stay", () => {
  const fields = { time_step_limit: [0, 0.5, -2], initializer_range: 1e21, name: "a 3 b" };
  const text = configText(fields);
  expect(text).toContain("    0.0,\n    0.5,\n    -2.0\n");
  expect(JSON.parse(text)).toEqual(fields);
});
