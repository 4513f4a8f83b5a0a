import { type Painter, painter, type TerminalOptions } from "./terminal-colors.ts";
import { alignLeft, oneLine, widest } from "./terminal-text.ts";
import { terminalWidth } from "./text-width.ts";

/** How rows of text in the terminal look. */
export interface TerminalRowsOptions extends TerminalOptions {
  /** Numbers of the columns that are aligned on the right. @default none */
  readonly right?: readonly number[];
  /** Columns of the terminal; the first column is shortened where there are too few. @default any */
  readonly width?: number;
}

const GAP = "  ";
/** Of the first column something stays, however narrow the terminal is. */
const LEAST = 12;

/**
 * A table of texts for the terminal, with heads over the columns.
 *
 * @returns Lines without a line break at the end.
 */
export function terminalRows(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  options: TerminalRowsOptions = {},
): string {
  const pen: Painter = painter("terminalRows", options);
  const { right = [], width = Infinity } = options;
  const texts = [heads, ...rows].map((row) => row.map(oneLine));
  const widths = heads.map((_, i) => widest(texts.map((row) => row[i] ?? "")));
  const used = widths.reduce((sum, each) => sum + each + GAP.length, -GAP.length);
  const [first = 0] = widths;
  widths[0] = Math.max(Math.min(first, LEAST), first - Math.max(used - width, 0));
  const lines = texts.map((row) =>
    row
      .map((text, i) => {
        const room = widths[i] ?? 0;
        const cut = i === 0 ? shortened(text, room) : text;
        return right.includes(i) ? cut.padStart(room) : alignLeft(cut, room);
      })
      .join(GAP)
      .trimEnd(),
  );
  return lines.map((line, i) => (i === 0 ? pen.dim(line) : line)).join("\n");
}

/** Text without its middle, where it is too long: both ends of a name tell it from others. */
function shortened(text: string, width: number): string {
  if (terminalWidth(text) <= width) return text;
  const characters = Array.from(text);
  const head = Math.floor((width - 1) / 2);
  const tail = width - 1 - head;
  return `${characters.slice(0, head).join("")}…${characters.slice(-tail).join("")}`;
}
