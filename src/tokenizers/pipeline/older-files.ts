import { TokenizerError } from "./tokenizer-error.ts";
import { NAMED_TOKENS, TOKEN_LISTS } from "./declared-tokens.ts";
import { isObject } from "../../formats/json-values.ts";
import { isCount, type JsonObject, shown } from "./fields.ts";

/**
 * The configuration with what `special_tokens_map.json` and `added_tokens.json` say. As in
 * transformers, both count only where the configuration has no `added_tokens_decoder`, which came
 * in their place; where they count, the special tokens that they name come first.
 */
export function withOlderFiles(
  config: JsonObject,
  special: JsonObject,
  added: JsonObject,
): JsonObject {
  if (isObject(config["added_tokens_decoder"])) return config;
  const named = { ...config, ...special, ...joinedLists(config, special) };
  const decoder = Object.entries(added).map(([content, id]) => addedEntry(content, id, named));
  return decoder.length === 0
    ? named
    : { ...named, added_tokens_decoder: Object.fromEntries(decoder) };
}

function joinedLists(config: JsonObject, special: JsonObject): JsonObject {
  const lists = TOKEN_LISTS.map((key): [string, unknown] => {
    const [first, second] = [config[key], special[key]];
    const joined =
      Array.isArray(first) && Array.isArray(second) ? [...first, ...second] : undefined;
    return [key, joined ?? second ?? first];
  });
  return Object.fromEntries(lists.filter(([, list]) => list !== undefined));
}

function addedEntry(content: string, id: unknown, config: JsonObject): [string, JsonObject] {
  if (!isCount(id)) {
    throw new TokenizerError(
      `added_tokens.json: ${shown(content)} is ${shown(id)}; an id, a whole number of at least 0, ` +
        "was expected",
    );
  }
  const special = isSpecial(content, config);
  return [String(id), { content, special, normalized: !special }];
}

function isSpecial(content: string, config: JsonObject): boolean {
  const named = NAMED_TOKENS.map((key) => config[key]);
  const listed = TOKEN_LISTS.flatMap((key) => (Array.isArray(config[key]) ? config[key] : []));
  return [...named, ...listed].some(
    (token) => (isObject(token) ? token["content"] : token) === content,
  );
}
