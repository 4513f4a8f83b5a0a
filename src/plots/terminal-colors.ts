import { requireOneOf } from "../base/known-options.ts";
import type { Rgb } from "./color-ramp.ts";

/** How many colours a terminal shows: as 24 bits, of a table of 256, or none. */
export type ColorMode = "24bit" | "256" | "none";

const MODES: readonly string[] = ["24bit", "256", "none"] satisfies ColorMode[];

/** How text for a terminal looks. */
export interface TerminalOptions {
  /**
   * Colours to use.
   * @default what standard output shows, by `NO_COLOR`, `FORCE_COLOR`, `COLORTERM` and `TERM`; none
   * where it is not a terminal
   */
  readonly colors?: ColorMode;
}

/** Writes text in colours, or as it is where there are none. */
export interface Painter {
  readonly mode: ColorMode;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  /** Text on a coloured ground. */
  readonly on: (background: Rgb, ink: Rgb, text: string) => string;
  /** Coloured text. */
  readonly ink: (color: Rgb, text: string) => string;
}

/** Pens for the colours asked for, or for those that standard output shows. */
export function painter(op: string, { colors = detectColors() }: TerminalOptions): Painter {
  requireOneOf(op, "colors", colors, MODES);
  const style = (codes: string, text: string): string =>
    colors === "none" || text === "" ? text : `\u001b[${codes}m${text}\u001b[0m`;
  return {
    mode: colors,
    bold: (text) => style("1", text),
    dim: (text) => style("2", text),
    on: (background, ink, text) =>
      style(`48;${code(background, colors)};38;${code(ink, colors)}`, text),
    ink: (color, text) => style(`38;${code(color, colors)}`, text),
  };
}

/** As much of `node:tty` as is used, so that a page's project needs no types of Node. */
interface Tty {
  readonly WriteStream: { readonly prototype: { getColorDepth(env?: object): number } };
}

/** The process, as far as it exists: a browser has none. */
interface Host {
  readonly stdout?: { readonly isTTY?: boolean };
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly getBuiltinModule?: (name: "node:tty") => Tty;
}

/** What standard output shows. */
export function detectColors(host: Host | undefined = globalThis.process): ColorMode {
  const { stdout, env = {} } = host ?? {};
  if (env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "") return "none";
  if (stdout?.isTTY !== true && env["FORCE_COLOR"] === undefined) return "none";
  // Node's own table of terminals; it reads nothing of the stream, which may be a pipe.
  const { WriteStream } = host?.getBuiltinModule?.("node:tty") ?? {};
  const depth = WriteStream?.prototype.getColorDepth(env) ?? 1;
  if (depth >= 24) return "24bit";
  return depth >= 8 ? "256" : "none";
}

function code(color: Rgb, mode: ColorMode): string {
  return mode === "24bit" ? `2;${color.join(";")}` : `5;${nearestOf256(color)}`;
}

/** Levels of each channel in the cube of 6 x 6 x 6 colours that begins at number 16. */
const CUBE = [0, 95, 135, 175, 215, 255] as const;

function nearestOf256([red, green, blue]: Rgb): number {
  const [r, g, b] = [level(red), level(green), level(blue)];
  return 16 + 36 * r + 6 * g + b;
}

function level(channel: number): number {
  const distances = CUBE.map((value) => Math.abs(value - channel));
  return distances.indexOf(Math.min(...distances));
}
