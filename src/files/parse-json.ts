import { FileSourceError } from "./file-source-error.ts";

/** Arrays and objects within each other; serde, which Hugging Face's own readers use, has the same. */
export const DEEPEST_JSON = 128;

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Index of the quote that ends the string beginning at `begin`, or the text's length. */
export function endOfString(json: string, begin: number): number {
  let i = begin + 1;
  for (; i < json.length; i++) {
    const char = json.charCodeAt(i);
    if (char === BACKSLASH) i++;
    else if (char === QUOTE) break;
  }
  return i;
}

/** Where the text is first nested more than {@link DEEPEST_JSON} deep, or undefined. */
function tooDeepAt(json: string): number | undefined {
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const char = json.charCodeAt(i);
    if (char === QUOTE) i = endOfString(json, i);
    else if (char === OPEN_ARRAY || char === OPEN_OBJECT) depth++;
    else if (char === CLOSE_ARRAY || char === CLOSE_OBJECT) depth--;
    if (depth > DEEPEST_JSON) return i;
  }
  return undefined;
}

/**
 * The value of a JSON text from outside. It is nested at most {@link DEEPEST_JSON} deep, so that
 * whoever walks it may do so by recursion. A key such as `__proto__` is an entry like any other as
 * long as the value is copied by spreading or `Object.fromEntries`, never by assignment.
 *
 * @param where what messages call the text.
 * @throws {@link FileSourceError} with code `"content"` and the cause.
 */
export function parseJson(text: string, where: string): unknown {
  const deep = tooDeepAt(text);
  if (deep !== undefined) {
    throw new FileSourceError(
      "content",
      `${where}: more than ${DEEPEST_JSON} arrays and objects lie within each other at character ` +
        `${deep}; no file of a model is nested so deeply, so this is damaged or not one`,
    );
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FileSourceError("content", `${where} is not valid JSON: ${reason}`, { cause: error });
  }
}
