import { expect, test } from "vitest";
import { checkedFields, fromConfigJson, toConfigJson, withDefaults } from "./config.ts";

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

test("fields given as undefined keep their defaults", () => {
  const given: { a?: number } = { ...(undefined as { a?: number } | undefined) };
  expect(withDefaults({ a: 1, b: 2 }, given)).toEqual({ a: 1, b: 2 });
});

test("settings of another kind are all named", () => {
  const defaults = { modelType: "gpt2", vocabSize: 10, eosTokenId: 1, padTokenId: null };
  expect(() => checkedFields("X", defaults, { vocabSize: "10", modelType: 3 })).toThrow(
    'X: config.json: model_type is 3, wanted a string; vocab_size is "10", wanted a number',
  );
  expect(checkedFields("X", defaults, { eosTokenId: [1, 2], padTokenId: 4 })).toEqual({
    eosTokenId: [1, 2],
    padTokenId: 4,
  });
});

test("labels are counted where their number is not given", () => {
  const defaults = { modelType: "gpt2", numLabels: 2 };
  const labels = { id2label: { 0: "a", 1: "b", 2: "c" } };
  expect(checkedFields("X", defaults, labels)).toMatchObject({ numLabels: 3 });
  expect(checkedFields("X", defaults, { ...labels, numLabels: 5 }).numLabels).toBe(5);
  expect(checkedFields("X", defaults, {}).numLabels).toBeUndefined();
});
