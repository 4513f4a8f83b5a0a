import type { TopLevelSpec } from "vega-lite";
import { type OptionNames, requireKnownOptions } from "../base/known-options.ts";
import { hexColor, needsLightText, rampColor, type Rgb } from "./color-ramp.ts";
import { colorOf, type Grid, type GridOptions, readGrid, textOf } from "./grid.ts";
import { painter, type TerminalOptions } from "./terminal-colors.ts";
import { oneLine } from "./terminal-text.ts";
import { terminalWidth, textWidth } from "./text-width.ts";
import { FONT, INK, plotConfig } from "./theme.ts";
import { escapeText } from "./to-svg.ts";

/** How a text coloured by token looks. */
export interface TokenStripOptions extends Pick<
  GridOptions,
  "title" | "valueTitle" | "domain" | "center" | "digits"
> {
  /** A second, smaller line under the title. */
  readonly subtitle?: string;
  /** Where lines are broken: pixels, or columns of the terminal. @default 640 pixels, 80 columns */
  readonly width?: number;
}

const OP = "tokenStrip";
const OPTIONS: OptionNames<TokenStripOptions> = {
  title: true,
  subtitle: true,
  valueTitle: true,
  domain: true,
  center: true,
  digits: true,
  width: true,
};
const FONT_SIZE = 14;
const LINE = 26;
const PADDING = 3;
const STEPS = 21;

/**
 * A text, each token on the colour of its number, as a Vega-Lite specification: what attributions say of the
 * tokens of a prompt, or a feature of a text.
 *
 * @param tokens - Texts in their order, spaces included.
 * @param values - A number for each; NaN leaves a token uncoloured.
 * @throws TsveneError when tokens and numbers are not as many.
 *
 * @example
 * ```ts
 * import { tokenStrip, toSvg } from "tsvene";
 * const spec = tokenStrip(["The", " capital", " of", " Spain"], [0.1, -0.4, 0, 2.3], {
 *   center: 0,
 *   valueTitle: "attribution",
 * });
 * console.log((await toSvg(spec)).length);
 * ```
 */
export function tokenStrip(
  tokens: readonly string[],
  values: readonly number[],
  options: TokenStripOptions = {},
): TopLevelSpec {
  const grid = stripGrid(tokens, values, options);
  const { title, subtitle, valueTitle, width = 640 } = options;
  const placed = placeTokens(tokens, width);
  const height = LINE * (1 + Math.max(...placed.map(({ line }) => line)));
  const at = (field: string, end: number): object => ({
    field,
    type: "quantitative",
    axis: null,
    scale: { domain: [0, end], nice: false, zero: false, ...(field === "y" && { reverse: true }) },
  });
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    description: describe(tokens, values, grid, options),
    ...(title === undefined ? {} : { title: { text: title, ...(subtitle && { subtitle }) } }),
    width,
    height,
    data: {
      values: placed.map((token, i) => markOf(token, tokens[i] ?? "", values[i] ?? NaN, grid)),
    },
    encoding: { x: at("x", width), y: at("y", height) },
    layer: [grounds(grid, valueTitle), TEXTS],
    config: plotConfig(),
  } as unknown as TopLevelSpec;
}

/** A token as the specification's data hold it. */
function markOf(
  { token, x, size, line }: PlacedToken,
  whole: string,
  value: number,
  grid: Grid,
): object {
  const color = colorOf(grid, "paper", value);
  return {
    x,
    x2: x + size,
    y: line * LINE,
    y2: line * LINE + LINE - 4,
    token,
    value: color === undefined ? null : value,
    ink: color !== undefined && needsLightText(color) ? "#ffffff" : INK,
    label: `${JSON.stringify(whole)}: ${textOf(grid, value)}`,
  };
}

function grounds({ kind, domain }: Grid, valueTitle: string | undefined): object {
  const range = Array.from({ length: STEPS }, (_, i) =>
    hexColor(rampColor(kind, "paper", i / (STEPS - 1))),
  );
  return {
    mark: { type: "rect", cornerRadius: 2, tooltip: { content: "data" } },
    encoding: {
      x2: { field: "x2" },
      y2: { field: "y2" },
      color: {
        condition: { test: "datum.value === null", value: "#ffffff" },
        field: "value",
        type: "quantitative",
        scale: { domain: [...domain], range, clamp: true },
        legend: { title: valueTitle ?? null, gradientThickness: 10, tickCount: 5 },
      },
      tooltip: [{ field: "label", type: "nominal", title: valueTitle ?? "value" }],
    },
  };
}

const TEXTS = {
  mark: {
    type: "text",
    align: "left",
    baseline: "middle",
    dx: PADDING,
    dy: LINE / 2 - 2,
    fontSize: FONT_SIZE,
    fill: { expr: "datum.ink" },
    aria: false,
  },
  encoding: { text: { field: "token", type: "nominal" } },
} as const;

/**
 * The same as an HTML element that needs nothing else, with each number as a tooltip.
 * @throws TsveneError when tokens and numbers are not as many.
 */
export function tokenStripHtml(
  tokens: readonly string[],
  values: readonly number[],
  options: TokenStripOptions = {},
): string {
  const grid = stripGrid(tokens, values, options);
  const spans = tokens.map((token, i) => {
    const value = values[i] ?? NaN;
    const color = colorOf(grid, "paper", value);
    const ink = color !== undefined && needsLightText(color) ? "#ffffff" : INK;
    const ground = color === undefined ? "" : `background:${hexColor(color)};color:${ink};`;
    const style = `${ground}padding:3px 0;border-radius:2px;white-space:pre-wrap`;
    return `<span style="${style}" title="${textOf(grid, value)}">${escapeText(token)}</span>`;
  });
  const head =
    options.title === undefined
      ? ""
      : `<div style="font-weight:600;margin-bottom:6px">${escapeText(options.title)}</div>`;
  const { width = 640 } = options;
  const look = `font:14px/2 ${FONT};color:${INK};background:#ffffff;max-width:${width}px`;
  return `<div style="${look}">${head}${spans.join("")}</div>`;
}

/**
 * The same for the terminal. Where colours are not shown, the numbers stand after the tokens.
 * @throws TsveneError when tokens and numbers are not as many.
 */
export function terminalTokens(
  tokens: readonly string[],
  values: readonly number[],
  options: TokenStripOptions & TerminalOptions = {},
): string {
  const { colors: _, ...look } = options;
  const grid = stripGrid(tokens, values, look);
  const pen = painter("terminalTokens", options);
  const { title, width = 80 } = options;
  const lines: string[] = [""];
  let used = 0;
  for (const [i, token] of tokens.entries()) {
    const value = values[i] ?? NaN;
    const color = colorOf(grid, "terminal", value);
    const plain = oneLine(token);
    const text = pen.mode === "none" ? `${plain}[${textOf(grid, value)}]` : plain;
    const size = terminalWidth(text);
    if (used > 0 && used + size > width) {
      lines.push("");
      used = 0;
    }
    used += size;
    lines[lines.length - 1] += color === undefined ? text : pen.on(color, inkOn(color), text);
  }
  return [...(title === undefined ? [] : [pen.bold(title)]), ...lines].join("\n");
}

function inkOn(color: Rgb): Rgb {
  return needsLightText(color) ? [255, 255, 255] : [16, 18, 22];
}

function stripGrid(
  tokens: readonly string[],
  values: readonly number[],
  options: TokenStripOptions,
): Grid {
  requireKnownOptions(OP, options, OPTIONS);
  const { subtitle: _, width: __, ...grid } = options;
  return readGrid(OP, [values], { ...grid, rows: [""], columns: tokens });
}

/** A token on its line. */
interface PlacedToken {
  readonly token: string;
  readonly x: number;
  readonly size: number;
  readonly line: number;
}

/** Breaks lines where they are full, and after tokens that end with a break. */
function placeTokens(tokens: readonly string[], width: number): readonly PlacedToken[] {
  let [x, line] = [0, 0];
  return tokens.map((token) => {
    const shown = oneLine(token.replaceAll("\n", "↵")).trim();
    const gap = /^\s/.test(token) && x > 0 ? 3 : 0;
    const size = textWidth(shown, FONT_SIZE) * 1.06 + 2 * PADDING;
    if (x > 0 && x + gap + size > width) [x, line] = [0, line + 1];
    const placed = { token: shown, x: x > 0 ? x + gap : 0, size, line };
    x = placed.x + size;
    if (token.endsWith("\n")) [x, line] = [0, line + 1];
    return placed;
  });
}

function describe(
  tokens: readonly string[],
  values: readonly number[],
  grid: Grid,
  { title, valueTitle = "value" }: TokenStripOptions,
): string {
  const known = values.filter((value) => !Number.isNaN(value));
  const most = Math.max(...known);
  const at = tokens[values.indexOf(most)] ?? "";
  const what = `${title === undefined ? "" : `${title}. `}A text of ${tokens.length} tokens`;
  if (known.length === 0) return `${what}.`;
  return `${what}; the greatest ${valueTitle}, ${textOf(grid, most)}, is at ${JSON.stringify(at)}.`;
}
