import { expect, test } from "vitest";
import { fromConfigJson, toConfigJson } from "./config.ts";

const JSON_FIELDS = {
  model_type: "gpt2",
  n_embd: 24,
  eos_token_id: [1, 2],
  id2label: { 0: "good_one", 1: "badOne" },
  rope_parameters: { rope_type: "llama3", original_max_position_embeddings: 64 },
  layer_norm_1_eps: 1e-5,
  nothing: null,
};

test("names are camelCase here and snake_case on disk, labels stay as they are", () => {
  const fields = fromConfigJson(JSON_FIELDS);
  expect(fields).toMatchObject({
    modelType: "gpt2",
    nEmbd: 24,
    id2label: { 0: "good_one", 1: "badOne" },
    ropeParameters: { ropeType: "llama3", originalMaxPositionEmbeddings: 64 },
  });
  expect(toConfigJson(fields)).toEqual(JSON_FIELDS);
});

test.each([[null], [[1]], ["text"], [3]])("refuses %j as a config.json", (json) => {
  expect(() => fromConfigJson(json)).toThrow("config.json: expected an object of settings");
});
