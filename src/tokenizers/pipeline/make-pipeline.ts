import type { TokenizerConfig } from "../tokenizer-config.ts";
import { TokenizerError } from "./tokenizer-error.ts";
import { plainToken } from "./added-tokens.ts";
import { boundaryProcessor, withClassSettings } from "./class-settings.ts";
import { configTokens, fileTokens } from "./declared-tokens.ts";
import { isObject } from "../../formats/json-values.ts";
import { Fields, type JsonObject } from "./fields.ts";
import { TokenizerPipeline } from "./pipeline.ts";

/**
 * The tokenizer of a `tokenizer.json` with what `tokenizer_config.json` changes in it, as
 * transformers 5 does.
 *
 * @param config the parsed `tokenizer_config.json`, and `settings` what it says.
 * @param userPad a token that the user named, which is not added where it is missing.
 * @throws TokenizerError with the place in the file and what was expected there.
 */
export function makePipeline(
  json: unknown,
  config: JsonObject,
  settings: TokenizerConfig,
  userPad: string | undefined,
): TokenizerPipeline {
  if (!isObject(json) || !isObject(json["model"])) {
    throw new TokenizerError(
      'tokenizer.json: an object with a "model" was expected, as the Hugging Face tokenizers write it',
    );
  }
  const fields = new Fields(withClassSettings(json, config), "tokenizer.json");
  const inFile = fileTokens(fields);
  const { pad, bos, eos } = settings.specialTokens;
  const { pad_token: named, ...rest } = config;
  const declared = userPad === undefined ? { ...rest, pad_token: named ?? pad } : rest;
  return new TokenizerPipeline(fields, {
    added: [inFile, configTokens(declared, inFile)],
    known: userPad === undefined ? [] : [plainToken(userPad, true)],
    splitsSpecial: settings.splitsSpecialTokens,
    around: (idOf) => boundaryProcessor(config, bos, eos, idOf),
  });
}
