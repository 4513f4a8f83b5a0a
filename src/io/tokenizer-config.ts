import { TokenizerError } from "./tokenizer-error.ts";

const ROLES = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"] as const;

/** What a special token is for. */
export type TokenRole = (typeof ROLES)[number];

/** Which end of a sequence padding is added to, or tokens are cut from. */
export type Side = "left" | "right";

/** What `tokenizer_config.json` says, as far as it is used here. */
export interface TokenizerConfig {
  readonly specialTokens: Readonly<Partial<Record<TokenRole, string>>>;
  readonly paddingSide: Side;
  readonly truncationSide: Side;
  /** Tokens that the model takes at most; undefined when the file does not say. */
  readonly modelMaxLength: number | undefined;
  readonly cleanUpTokenizationSpaces: boolean;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A token is written as its text, or as an object with its text. */
function tokenText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const content = isObject(value) ? value["content"] : undefined;
  return typeof content === "string" ? content : undefined;
}

function side(config: Readonly<Record<string, unknown>>, key: string): Side {
  const value = config[key] ?? "right";
  if (value === "left" || value === "right") return value;
  throw new TokenizerError(
    `tokenizer_config.json: ${key} is ${JSON.stringify(value)}; "left" or "right" was expected`,
  );
}

/** transformers writes 10^30 for "no limit". */
function maxLength(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : undefined;
}

/** Reads the parsed `tokenizer_config.json`; what it lacks gets transformers' defaults. */
export function parseTokenizerConfig(config: unknown): TokenizerConfig {
  if (!isObject(config)) {
    throw new TokenizerError("tokenizer_config.json: a JSON object was expected");
  }
  const texts = ROLES.map((role): [TokenRole, string | undefined] => [
    role,
    tokenText(config[`${role}_token`]),
  ]);
  return {
    specialTokens: Object.fromEntries(texts.filter(([, text]) => text !== undefined)),
    paddingSide: side(config, "padding_side"),
    truncationSide: side(config, "truncation_side"),
    modelMaxLength: maxLength(config["model_max_length"]),
    cleanUpTokenizationSpaces: config["clean_up_tokenization_spaces"] === true,
  };
}
