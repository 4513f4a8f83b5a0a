import { kind, type Kind, listOf, oneOf, type Setting, text, token, tokens, whole } from "./kinds.ts"; // prettier-ignore

const PROBLEM_TYPES = [
  "regression",
  "single_label_classification",
  "multi_label_classification",
  null,
] as const;

const names: Kind<object> = kind(
  "an object of names",
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
);

/**
 * Settings that every family has, with Hugging Face's meanings. A family's own table may give others
 * of the same names.
 */
export const BASE_SETTINGS: Readonly<Record<string, Setting<unknown>>> = {
  numLabels: whole(undefined),
  problemType: { ...oneOf(PROBLEM_TYPES, null), fallback: undefined },
  id2label: names.orNull(undefined),
  label2id: names.orNull(undefined),
  architectures: listOf(text, undefined),
  bosTokenId: token.orNull(undefined),
  eosTokenId: tokens.orNull(undefined),
  padTokenId: token.orNull(undefined),
  sepTokenId: token.orNull(undefined),
  decoderStartTokenId: token.orNull(undefined),
};

/** How many labels settings give names to; undefined where they give none. */
export function labelCount(id2label: unknown): number | undefined {
  const named = typeof id2label === "object" && id2label !== null;
  return named ? Object.keys(id2label).length : undefined;
}
