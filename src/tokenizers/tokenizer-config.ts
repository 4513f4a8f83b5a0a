import { isObject } from "../formats/json-values.ts";
import { TokenizerError } from "./pipeline/tokenizer-error.ts";

/** The tokens with a role of their own, by the role. */
const ROLES = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"] as const;

/** What a special token is for. */
export type TokenRole = (typeof ROLES)[number];

/** Which end of a sequence padding is added to, or tokens are cut from. */
export type Side = "left" | "right";

/** What `tokenizer_config.json` says, as far as it is used here. */
export interface TokenizerConfig {
  /** The token of each role that the file names. */
  readonly specialTokens: Readonly<Partial<Record<TokenRole, string>>>;
  /** Where short texts are filled up. */
  readonly paddingSide: Side;
  /** Where long texts are cut. */
  readonly truncationSide: Side;
  /** Tokens that the model takes at most; undefined when the file does not say. */
  readonly modelMaxLength: number | undefined;
  /** Whether decoding removes spaces before punctuation. */
  readonly cleanUpTokenizationSpaces: boolean;
  /** Whether byte-pair encodings are cleaned up, too, which their text does not survive. */
  readonly cleansUpBpe: boolean;
  /** Whether special tokens in a text are read as text. */
  readonly splitsSpecialTokens: boolean;
}

/** A token is written as its text, or as an object with its text. */
function tokenText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const content = isObject(value) ? value["content"] : undefined;
  return typeof content === "string" ? content : undefined;
}

function side(
  config: Readonly<Record<string, unknown>>,
  key: string,
  inFile: string | undefined,
): Side {
  const value = config[key] ?? inFile?.toLowerCase() ?? "right";
  if (value === "left" || value === "right") return value;
  throw new TokenizerError(
    `tokenizer_config.json: ${key} is ${JSON.stringify(value)}; "left" or "right" was expected`,
  );
}

function flag(config: Readonly<Record<string, unknown>>, key: string): boolean {
  const value = config[key] ?? false;
  if (typeof value === "boolean") return value;
  throw new TokenizerError(
    `tokenizer_config.json: ${key} is ${JSON.stringify(value)}; true or false was expected`,
  );
}

/** A text of tokenizer.json's sections on padding and truncation, if they have it. */
function sectionText(json: unknown, section: string, key: string): string | undefined {
  const fields = isObject(json) ? json[section] : undefined;
  const value = isObject(fields) ? fields[key] : undefined;
  return typeof value === "string" ? value : undefined;
}

/** transformers writes 10^30 for "no limit". */
function maxLength(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : undefined;
}

/**
 * Reads the parsed `tokenizer_config.json`; what it lacks is what tokenizer.json's sections on
 * padding and truncation say, else transformers' default.
 */
export function parseTokenizerConfig(config: unknown, json: unknown): TokenizerConfig {
  if (!isObject(config)) {
    throw new TokenizerError("tokenizer_config.json: a JSON object was expected");
  }
  const texts = ROLES.map((role): [TokenRole, string | undefined] => [
    role,
    tokenText(config[`${role}_token`]),
  ]);
  const pad = sectionText(json, "padding", "pad_token");
  const specialTokens: Partial<Record<TokenRole, string>> = Object.fromEntries(
    texts.filter(([, text]) => text !== undefined),
  );
  return {
    specialTokens: pad === undefined ? specialTokens : { pad, ...specialTokens },
    paddingSide: side(config, "padding_side", sectionText(json, "padding", "direction")),
    truncationSide: side(config, "truncation_side", sectionText(json, "truncation", "direction")),
    modelMaxLength: maxLength(config["model_max_length"]),
    cleanUpTokenizationSpaces: flag(config, "clean_up_tokenization_spaces"),
    cleansUpBpe: flag(
      config,
      "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output",
    ),
    splitsSpecialTokens: flag(config, "split_special_tokens"),
  };
}
