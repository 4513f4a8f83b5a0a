import { terminalWidth } from "./text-width.ts";

/** Without what would break or colour a line: controls are written as escapes. */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => {
    const escape = JSON.stringify(character).slice(1, -1);
    // JSON leaves the controls from 127 on as they are.
    return escape === character ? `\\x${(character.codePointAt(0) ?? 0).toString(16)}` : escape;
  });
}

/** Columns of a terminal that the widest text takes. */
export function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, terminalWidth(text)), 0);
}

/** Text with spaces after it, so that it takes `width` columns. */
export function alignLeft(text: string, width: number): string {
  return text + " ".repeat(Math.max(width - terminalWidth(text), 0));
}

/** Text with spaces on both sides. */
export function alignCenter(text: string, width: number): string {
  const room = Math.max(width - terminalWidth(text), 0);
  return " ".repeat(Math.floor(room / 2)) + text + " ".repeat(Math.ceil(room / 2));
}
