import { TokenizerError } from "./tokenizer-error.ts";
import type { Fields } from "./fields.ts";
import { regexFinder } from "./regex/regex-finder.ts";
import { type Finder, textFinder } from "./splitting.ts";

/** Reads `{ "String": text }` or `{ "Regex": pattern }`. */
export function readPattern(fields: Fields): Finder {
  const pattern = fields.child("pattern");
  if (pattern.has("String")) {
    const text = pattern.patternText("String");
    // An empty text is found between all characters, as an empty regular expression is.
    return text === "" ? regexFinder("") : textFinder(text);
  }
  if (!pattern.has("Regex")) throw fields.wrong("pattern", 'an object with "String" or "Regex"');
  try {
    return regexFinder(pattern.patternText("Regex"));
  } catch (error) {
    if (!(error instanceof TokenizerError)) throw error;
    throw new TokenizerError(`${fields.where}: ${error.message}`, { cause: error });
  }
}
