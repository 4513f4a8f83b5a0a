import { ModelError } from "../../nn/errors.ts";
import { camelCase, type JsonValue, snakeCase, toJson } from "../settings/config.ts";
import type { GenerationFields } from "./fields.ts";

/** Special tokens that a file without them says not to use, whatever `config.json` says. */
const UNSAID = { eosTokenId: null, padTokenId: null };

/** The fields of a `generation_config.json` under camelCase names; what is inside of them stays as it is. */
export function fromGenerationJson(json: unknown): GenerationFields {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new ModelError("generation_config.json: expected an object of settings");
  }
  const entries = Object.entries(json as Readonly<Record<string, JsonValue>>);
  return {
    ...UNSAID,
    ...Object.fromEntries(entries.map(([name, value]) => [camelCase(name), value])),
  };
}

/** What goes to a `generation_config.json`, under snake_case names. */
export function toGenerationJson(fields: GenerationFields): Readonly<Record<string, JsonValue>> {
  const said = Object.entries(fields).filter(
    ([option, value]) => value !== null || !Object.hasOwn(UNSAID, option),
  );
  return toJson(Object.fromEntries(said.map(([option, value]) => [snakeCase(option), value])));
}
