import { endOfString } from "./parse-json.ts";

function isFollowedByColon(json: string, end: number): boolean {
  let i = end + 1;
  while (json[i] === " " || json[i] === "\n" || json[i] === "\r" || json[i] === "\t") i++;
  return json[i] === ":";
}

/**
 * The first key that occurs twice in one object of a JSON text, or undefined. `JSON.parse` keeps the
 * last of them without a word, so that two readers could see two different files.
 *
 * @param json a text that `JSON.parse` accepts.
 */
export function duplicateKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (let i = 0; i < json.length; i++) {
    const char = json[i];
    if (char === "{" || char === "[") open.push(new Set());
    if (char === "}" || char === "]") open.pop();
    if (char !== '"') continue;
    const end = endOfString(json, i);
    if (isFollowedByColon(json, end)) {
      const key = String(JSON.parse(json.slice(i, end + 1)));
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
    i = end;
  }
  return undefined;
}
