import { fail } from "../base/errors.ts";
import type { TokenProbability } from "./top-tokens.ts";
import { type Rgb, rampColor } from "../plots/color-ramp.ts";
import { type Painter, painter, type TerminalOptions } from "../plots/terminal-colors.ts";
import { alignLeft, oneLine, widest } from "../plots/terminal-text.ts";
import { terminalWidth } from "../plots/text-width.ts";

/** How lists of tokens in the terminal look. */
export interface TerminalTopTokensOptions extends TerminalOptions {
  /** Line above the table. @default none */
  readonly title?: string;
  /** Length of the bar of a token that is certain. @default 20 */
  readonly barWidth?: number;
}

/** From an eighth of a cell to a whole one. */
const BLOCKS = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"] as const;
const GAP = "    ";

/**
 * Lists of next tokens side by side, each with its probability and a bar.
 *
 * @param lists - What `topTokens` gives: tokens by the name of the run.
 * @returns Lines without a line break at the end.
 *
 * @example
 * ```ts
 * import { terminalTopTokens } from "tsvene";
 * const before = [{ id: 7, token: " Madrid", probability: 0.75 }];
 * const after = [{ id: 8, token: " Rome", probability: 0.5 }];
 * console.log(terminalTopTokens({ before, after }));
 * ```
 */
export function terminalTopTokens(
  lists: Readonly<Record<string, readonly TokenProbability[]>>,
  options: TerminalTopTokensOptions = {},
): string {
  const { title, barWidth = 20 } = options;
  const pen = painter("terminalTopTokens", options);
  if (!Number.isInteger(barWidth) || barWidth < 1) {
    fail("terminalTopTokens", `barWidth must be a whole number of 1 or more, got ${barWidth}`);
  }
  const panels = Object.entries(lists).map(([name, tokens]) => panel(pen, name, tokens, barWidth));
  const height = panels.reduce((most, { lines }) => Math.max(most, lines.length), 0);
  const lines = Array.from({ length: height }, (_, i) =>
    panels
      .map(({ lines, width }) => {
        const line = lines[i] ?? { plain: "", painted: "" };
        return line.painted + " ".repeat(width - terminalWidth(line.plain));
      })
      .join(GAP)
      .trimEnd(),
  );
  return [...(title === undefined ? [] : [pen.bold(title)]), ...lines].join("\n");
}

interface Line {
  readonly plain: string;
  readonly painted: string;
}

interface Panel {
  readonly width: number;
  readonly lines: readonly Line[];
}

function panel(
  pen: Painter,
  name: string,
  tokens: readonly TokenProbability[],
  barWidth: number,
): Panel {
  // In quotes, because a token with a space before it is another one than without.
  const texts = tokens.map(({ token }) => `"${oneLine(token)}"`);
  const margin = widest(texts);
  const lines = tokens.map(({ probability }, i): Line => {
    const text = alignLeft(texts[i] ?? "", margin);
    const percent = percentOf(probability).padStart(6);
    const blocks = bar(probability, barWidth);
    const color: Rgb = rampColor("sequential", "terminal", 0.35 + 0.65 * probability);
    return {
      plain: `${text}  ${percent} ${blocks}`,
      painted: `${i === 0 ? pen.bold(text) : text}  ${percent} ${pen.ink(color, blocks)}`,
    };
  });
  const title = oneLine(name);
  const all = [{ plain: title, painted: pen.dim(title) }, ...lines];
  return {
    width: Math.max(widest(all.map(({ plain }) => plain)), margin + barWidth + 9),
    lines: all,
  };
}

function percentOf(probability: number): string {
  const tiny = probability > 0 && probability < 0.0005;
  return tiny ? "<0.1%" : `${(100 * probability).toFixed(1)}%`;
}

function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(Math.max(share, 0), 1) * width * BLOCKS.length);
  const whole = "█".repeat(Math.floor(eighths / BLOCKS.length));
  return whole + (BLOCKS[(eighths % BLOCKS.length) - 1] ?? "");
}
