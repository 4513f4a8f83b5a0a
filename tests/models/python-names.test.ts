import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { loadRecorded, plainInputs } from "../../scripts/parity/recorded-model.ts";
import { golden } from "./checkpoints.ts";

const MODELS = readdirSync(golden(""), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

test.each(MODELS)("%s refuses inputs under Python's names", async (name) => {
  const model = await loadRecorded(golden(name));
  const python = { attention_mask: "ignored" };
  const inputs = { ...(await plainInputs(golden(name))), ...python };
  expect(() => model.forward(inputs)).toThrow(
    "there is no input attention_mask; did you mean attentionMask?",
  );
});
