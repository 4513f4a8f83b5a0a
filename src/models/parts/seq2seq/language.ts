import { fail } from "../../../nn/errors.ts";
import { didYouMean } from "../../../base/nearest.ts";

/** Names that Whisper's authors use besides those of the Unicode Consortium. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  castilian: "es",
  flemish: "nl",
  "haitian creole": "ht",
  haitian: "ht",
  letzeburgesch: "lb",
  mandarin: "zh",
  moldavian: "ro",
  moldovan: "ro",
  myanmar: "my",
  nynorsk: "nn",
  panjabi: "pa",
  pushto: "ps",
  sinhalese: "si",
  valencian: "ca",
};

/**
 * The token of a language.
 *
 * @param language - Its code, its token or its English name, such as "de", "<|de|>" or "German".
 * @param tokens - Of all languages, by their tokens.
 * @throws ModelError for a language that is not among them.
 */
export function languageToken(language: string, tokens: ReadonlyMap<string, number>): number {
  const wanted = language.toLowerCase();
  const codes = [...tokens.keys()].map((token) => token.replaceAll(/[<|>]/g, ""));
  const named = OTHER_NAMES[wanted] ?? codes.find((code) => nameOf(code) === wanted);
  const found = [wanted, `<|${wanted}|>`, `<|${named}|>`].find((token) => tokens.has(token));
  const id = found === undefined ? undefined : tokens.get(found);
  if (id !== undefined) return id;
  return fail(
    "generate",
    `language ${JSON.stringify(language.slice(0, 40))} is not among the ${codes.length} of this ` +
      `model; ${didYouMean(language.slice(0, 40), codes)}`,
  );
}

/** The English name of a language. */
function nameOf(code: string): string | undefined {
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(code)?.toLowerCase();
  } catch {
    return undefined; // Not a code.
  }
}
