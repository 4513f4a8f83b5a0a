import { painter, type TerminalOptions } from "./terminal-colors.ts";
import { alignLeft } from "./terminal-text.ts";
import { terminalWidth } from "./text-width.ts";

/** A text under its title. */
export interface TitledText {
  /** The line above it. */
  readonly title: string;
  /** The text below; lines are broken where they are too long. */
  readonly text: string;
}

/** How texts side by side look. */
export interface TerminalColumnsOptions extends TerminalOptions {
  /** Columns of the terminal. @default 80 */
  readonly width?: number;
}

const GAP = "   ";
/** A column is at least so wide, on however narrow a terminal. */
const LEAST = 8;

/**
 * Breaks a text into lines, at spaces where there are some. More text changes the last line alone, and
 * adds others.
 *
 * @param width - Columns of the terminal that a line may take.
 */
export function wrapText(text: string, width: number): string[] {
  return printable(text)
    .split("\n")
    .flatMap((paragraph) => wrapParagraph(paragraph, width));
}

/** Without controls, which could move the cursor. */
function printable(text: string): string {
  return text.replaceAll("\t", "    ").replace(/[^\P{Cc}\n]/gu, "�");
}

function wrapParagraph(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const piece of text.match(/\s+|\S+/gu) ?? []) {
    const isSpace = piece.trim() === "";
    if (terminalWidth(line) + terminalWidth(piece) <= width) line += piece;
    else if (isSpace) {
      lines.push(line);
      line = "";
    } else {
      if (line.trim() !== "") lines.push(line);
      const broken = breakWord(piece, width);
      line = broken.pop() ?? "";
      lines.push(...broken);
    }
  }
  return [...lines, line].map((each) => each.trimEnd());
}

/** A word that is longer than a line. */
function breakWord(word: string, width: number): string[] {
  const parts = [""];
  for (const character of word) {
    const part = parts.at(-1) ?? "";
    if (part !== "" && terminalWidth(part + character) > width) parts.push(character);
    else parts[parts.length - 1] = part + character;
  }
  return parts;
}

/**
 * Texts side by side, each under its title.
 *
 * @returns Lines without a line break at the end.
 */
export function terminalColumns(
  columns: readonly TitledText[],
  options: TerminalColumnsOptions = {},
): string {
  const pen = painter("terminalColumns", options);
  const { width = 80 } = options;
  const gaps = GAP.length * (columns.length - 1);
  const each = Math.max(Math.floor((width - gaps) / columns.length), LEAST);
  const lines = columns.map(({ text }) => wrapText(text, each));
  const height = Math.max(...lines.map(({ length }) => length));
  const heads = columns.map(({ title }) => alignLeft(wrapText(title, each)[0] ?? "", each));
  const body = Array.from({ length: height }, (_, i) =>
    lines.map((own) => alignLeft(own[i] ?? "", each)).join(GAP),
  );
  return [pen.bold(heads.join(GAP).trimEnd()), ...body.map((line) => line.trimEnd())].join("\n");
}
