import { type AddedToken, plainToken, readAddedToken } from "./added-tokens.ts";
import { isObject } from "../../formats/json-values.ts";
import { Fields, isCount, type JsonObject, shown } from "./fields.ts";
import { TokenizerError } from "./tokenizer-error.ts";

/** Names of special tokens in tokenizer_config.json and special_tokens_map.json. */
export const NAMED_TOKENS = [
  "bos_token",
  "eos_token",
  "unk_token",
  "sep_token",
  "pad_token",
  "cls_token",
  "mask_token",
] as const;

/** Lists of further special tokens; transformers 5 knows the second name only. */
export const TOKEN_LISTS = ["additional_special_tokens", "extra_special_tokens"] as const;

const CONFIG = "tokenizer_config.json";

/** Tokens that tokenizer.json adds, in its order. */
export function fileTokens(json: Fields): AddedToken[] {
  if (!json.has("added_tokens")) return [];
  return json.children("added_tokens").map((fields) => readAddedToken(fields));
}

/**
 * Tokens that the configuration adds or names: `added_tokens_decoder` by id, then the special ones
 * by name. A token that is there already keeps its flags, and is special if it is named.
 *
 * @param inFile tokens that tokenizer.json adds.
 */
export function configTokens(config: JsonObject, inFile: readonly AddedToken[]): AddedToken[] {
  const tokens = new Map(inFile.map((token) => [token.content, token]));
  const added = decoderTokens(config);
  for (const token of added) tokens.set(token.content, token);
  const named = namedTokens(config).map((token) => {
    const known = tokens.get(token.content);
    return known === undefined ? token : { ...known, special: true };
  });
  return [...added, ...named];
}

function decoderTokens(config: JsonObject): AddedToken[] {
  const decoder = config["added_tokens_decoder"];
  if (decoder === undefined || decoder === null) return [];
  const fields = new Fields(decoder, `${CONFIG}: added_tokens_decoder`);
  const ids = Object.keys(fields.json).map(Number);
  const wrong = ids.find((id) => !isCount(id));
  if (wrong !== undefined) {
    throw new TokenizerError(`${fields.where} has a key that is no id: ${shown(wrong)}`);
  }
  return ids.toSorted((a, b) => a - b).map((id) => readAddedToken(fields.child(String(id))));
}

function namedTokens(config: JsonObject): AddedToken[] {
  const named = NAMED_TOKENS.map((key) => specialToken(config[key], key));
  const listed = TOKEN_LISTS.flatMap((key) => listedTokens(config[key], key));
  return [...named, ...listed].filter((token) => token !== undefined);
}

function listedTokens(list: unknown, key: string): (AddedToken | undefined)[] {
  if (list === undefined || list === null) return [];
  // Tokens that a model gives names of its own: { "image_token": "<image>" }.
  const values: unknown = isObject(list) ? Object.values(list) : list;
  if (!Array.isArray(values)) {
    throw new TokenizerError(`${CONFIG}: ${key} is ${shown(list)}; a list of tokens was expected`);
  }
  return values.map((value, i) => specialToken(value, `${key}[${i}]`));
}

/** A token is written as its text, or as an object with its text and flags. */
function specialToken(value: unknown, key: string): AddedToken | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return plainToken(value, true);
  const token = readAddedToken(new Fields(value, `${CONFIG}: ${key}`), true);
  return { ...token, special: true };
}
