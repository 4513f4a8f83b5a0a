import { characters, isSpace } from "./characters.ts";
import { TemplateError } from "./template-error.ts";

/** `text.split(separator, most)`; without a separator at runs of white space. */
export function split(text: string, separator: string | null, most: number): string[] {
  if (separator === null) return splitAtSpace(text, most);
  if (separator === "") throw new TemplateError("empty separator");
  if (most < 0) return text.split(separator);
  const parts: string[] = [];
  let begin = 0;
  for (let at = text.indexOf(separator); at !== -1 && parts.length < most;) {
    parts.push(text.slice(begin, at));
    begin = at + separator.length;
    at = text.indexOf(separator, begin);
  }
  return [...parts, text.slice(begin)];
}

function splitAtSpace(text: string, most: number): string[] {
  const parts: string[] = [];
  let rest = 0;
  for (;;) {
    while (rest < text.length && isSpace(text[rest] ?? "")) rest += 1;
    if (rest === text.length) return parts;
    if (most >= 0 && parts.length === most) return [...parts, text.slice(rest)];
    let end = rest;
    while (end < text.length && !isSpace(text[end] ?? "")) end += 1;
    parts.push(text.slice(rest, end));
    rest = end;
  }
}

/** `text.rsplit(separator, most)`. */
export function splitFromEnd(text: string, separator: string | null, most: number): string[] {
  if (most < 0) return split(text, separator, most);
  if (separator === null) return splitAtSpaceFromEnd(text, most);
  if (separator === "") throw new TemplateError("empty separator");
  const parts: string[] = [];
  let end = text.length;
  while (parts.length < most && end >= separator.length) {
    const at = text.lastIndexOf(separator, end - separator.length);
    if (at === -1) break;
    parts.push(text.slice(at + separator.length, end));
    end = at;
  }
  return [text.slice(0, end), ...parts.reverse()];
}

function splitAtSpaceFromEnd(text: string, most: number): string[] {
  const parts: string[] = [];
  let end = text.length;
  for (;;) {
    while (end > 0 && isSpace(text[end - 1] ?? "")) end -= 1;
    if (end === 0) return parts.reverse();
    if (parts.length === most) return [text.slice(0, end), ...parts.reverse()];
    let begin = end;
    while (begin > 0 && !isSpace(text[begin - 1] ?? "")) begin -= 1;
    parts.push(text.slice(begin, end));
    end = begin;
  }
}

/** `text.replace(old, replacement, most)`. */
export function replace(text: string, old: string, replacement: string, most: number): string {
  if (most < 0) return text.replaceAll(old, () => replacement);
  if (old === "") {
    const letters = characters(text);
    const before = letters.slice(0, most).map((letter) => replacement + letter);
    const after = most > letters.length ? [replacement] : letters.slice(most);
    return [...before, ...after].join("");
  }
  return split(text, old, most).join(replacement);
}

/** How often a part is in a text, without overlaps. */
export function countParts(text: string, part: string): number {
  if (part === "") return characters(text).length + 1;
  let count = 0;
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) {
    count += 1;
  }
  return count;
}
