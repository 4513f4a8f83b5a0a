import { fail } from "../../nn/errors.ts";
import type { ModelConfig } from "../settings/config.ts";
import type { Settings } from "./kinds.ts";
import type { GenerateOptions } from "./options.ts";
import { isSaid } from "./settings.ts";

/** A model, as far as the length of its texts goes. */
export interface Bounded {
  readonly config: ModelConfig;
  /** Longest text; undefined where there is no bound. */
  readonly maxLength: number | undefined;
}

/** How long a text becomes. */
export interface Lengths {
  /** At most. */
  readonly maxNewTokens: number;
  /** Tokens before which no text may end, prompt included. */
  readonly minLength: number;
}

const DEFAULT_NEW_TOKENS = 20;

/**
 * New tokens at most and at least. As in Hugging Face's, numbers of new tokens go before lengths that
 * count the prompt, whoever gives them, and where nobody says anything there are 20, or what the
 * model's positions leave.
 *
 * @throws ModelError for lengths that contradict each other, the prompt or the model.
 */
export function lengthsOf(
  model: Bounded,
  promptLength: number,
  settings: Settings,
  options: GenerateOptions,
): Lengths {
  refuseOverruled(settings, options, promptLength);
  const { maxLength } = settings;
  const room = roomOf(model, promptLength);
  if (settings.maxNewTokens === null && maxLength !== null && maxLength <= promptLength) {
    const hint = !isSaid(options.maxLength) ? ", and generation_config.json says no more; pass maxNewTokens" : ""; // prettier-ignore
    fail(
      "generate",
      `maxLength ${maxLength} leaves no room after a prompt of ${promptLength} tokens${hint}`,
    );
  }
  const wanted =
    settings.maxNewTokens ?? (maxLength === null ? undefined : maxLength - promptLength);
  const isGiven = isSaid(options.maxNewTokens) || isSaid(options.maxLength);
  if (room < 1 || (isGiven && wanted !== undefined && wanted > room)) {
    fail(
      "generate",
      `a prompt of ${promptLength} tokens and ${wanted ?? 1} new ones are more than the model's ` +
        `${model.maxLength} positions; ` +
        (room < 1 ? "shorten the prompt" : `shorten the prompt, or generate at most ${room}`),
    );
  }
  // What a file says of all prompts ends where the positions end.
  const most = Math.min(wanted ?? defaultNewTokens(model, promptLength), room);
  return { maxNewTokens: most, minLength: leastLength(promptLength, most, settings, options) };
}

/** Tokens that there are positions for; the last one is not read any more, so it needs none. */
function roomOf({ maxLength = Infinity }: Bounded, promptLength: number): number {
  return maxLength - promptLength + 1;
}

/** 20, unless the text would become longer than what the model was trained on. */
function defaultNewTokens({ config, maxLength }: Bounded, promptLength: number): number {
  const { maxPositionEmbeddings } = config as { readonly maxPositionEmbeddings?: unknown };
  const positions = typeof maxPositionEmbeddings === "number" ? maxPositionEmbeddings : maxLength;
  const left = (positions ?? Infinity) - promptLength;
  return left < 1 ? DEFAULT_NEW_TOKENS : Math.min(DEFAULT_NEW_TOKENS, left);
}

function leastLength(
  promptLength: number,
  most: number,
  settings: Settings,
  options: GenerateOptions,
): number {
  const { minNewTokens, minLength } = settings;
  for (const [name, least] of [
    ["minNewTokens", options.minNewTokens ?? 0],
    ["minLength", minNewTokens === null ? (options.minLength ?? 0) - promptLength : 0],
  ] as const) {
    if (least <= most) continue;
    const given = options[name];
    fail("generate", `${name} ${given} is more than the ${most} new tokens at most`);
  }
  return minNewTokens === null ? (minLength ?? 0) : minNewTokens + promptLength;
}

/** A length of the call that a file's number of new tokens goes before would have no effect. */
function refuseOverruled(settings: Settings, options: GenerateOptions, promptLength: number): void {
  const pairs = [
    ["maxLength", "maxNewTokens", settings.maxLength, settings.maxNewTokens],
    ["minLength", "minNewTokens", settings.minLength, settings.minNewTokens],
  ] as const;
  for (const [length, tokens, ofAll, ofNew] of pairs) {
    const overruled = isSaid(options[length]) && options[tokens] === undefined && ofNew !== null;
    if (!overruled || ofAll === ofNew + promptLength) continue;
    fail(
      "generate",
      `${length} ${ofAll} has no effect, as generation_config.json says ${ofNew} new tokens, which ` +
        `go before it; pass ${tokens}, or ${tokens}: null as well`,
    );
  }
}
