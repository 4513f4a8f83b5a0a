/** Spaces before punctuation, and within contractions, that tokenizers of English leave. */
const BEFORE: readonly (readonly [RegExp, string])[] = [
  [/ \./g, "."],
  [/ \?/g, "?"],
  [/ !/g, "!"],
  [/ ,/g, ","],
  [/ ' /g, "'"],
  [/ n't/g, "n't"],
  [/ 'm/g, "'m"],
];
const AFTER: readonly (readonly [RegExp, string])[] = [
  [/ 's/g, "'s"],
  [/ 've/g, "'ve"],
  [/ 're/g, "'re"],
];

function replaced(text: string, rules: readonly (readonly [RegExp, string])[]): string {
  return rules.reduce((cleaned, [found, by]) => cleaned.replace(found, by), text);
}

/** What `clean_up_tokenization_spaces` of transformers does. */
export function cleanUpText(text: string): string {
  return replaced(text, [...BEFORE, ...AFTER]);
}

/** What decoders of word pieces do, which also write "do not" shorter. */
export function cleanUpWordPieces(text: string): string {
  return replaced(text, [...BEFORE, [/ do not/g, " don't"], ...AFTER]);
}
