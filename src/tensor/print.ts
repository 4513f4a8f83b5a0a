import { isFloat, type DType } from "./dtype.ts";
import { numel, type Shape, show } from "./shape.ts";

const EDGE_ITEMS = 3;
const THRESHOLD = 1000;
const LINE_WIDTH = 80;
const PRECISION = 4;
const PREFIX = "tensor(";

type Numbers = ArrayLike<number | bigint>;

/** How one element is written, and how wide. */
interface Format {
  readonly text: (n: number | bigint) => string;
  readonly width: number;
}

/** A tensor as PyTorch prints it; without numbers, its shape and type. */
export function format(
  numbers: Numbers | undefined,
  shape: Shape,
  dtype: DType,
  requiresGrad: boolean,
): string {
  if (numbers === undefined) {
    return `${PREFIX}not evaluated, shape=${show(shape)}, dtype=${dtype})`;
  }
  const suffixes = [
    ...(numel(shape) === 0 && shape.length !== 1 ? [`size=${show(shape)}`] : []),
    ...(hasPlainDType(dtype, numel(shape)) ? [] : [`dtype=${dtype}`]),
    ...(requiresGrad ? ["requiresGrad=true"] : []),
  ];
  const summarize = numbers.length > THRESHOLD;
  const { text, width } = formatOf(visible(numbers, shape, summarize), dtype);
  const cell = (n: number | bigint): string => text(n).padStart(width);
  return withSuffixes(PREFIX + layout(numbers, shape, cell, width, summarize), suffixes);
}

/** Whether the numbers themselves show the dtype. */
function hasPlainDType(dtype: DType, count: number): boolean {
  if (dtype === "float32") return true;
  return (dtype === "int64" || dtype === "bool") && count > 0;
}

/** Appends suffixes, on a new line where the last one has no room. */
function withSuffixes(body: string, suffixes: readonly string[]): string {
  let line = body.length - body.lastIndexOf("\n") + 1;
  let text = body;
  for (const suffix of suffixes) {
    if (line + suffix.length + 2 > LINE_WIDTH) {
      text += `,\n${" ".repeat(PREFIX.length)}${suffix}`;
      line = PREFIX.length + suffix.length;
    } else {
      text += `, ${suffix}`;
      line += suffix.length + 2;
    }
  }
  return `${text})`;
}

/** Positions shown along a dimension; -1 means those left out. */
function edges(n: number, summarize: boolean): number[] {
  const all = Array.from({ length: n }, (_, i) => i);
  if (!summarize || n <= 2 * EDGE_ITEMS) return all;
  return [...all.slice(0, EDGE_ITEMS), -1, ...all.slice(-EDGE_ITEMS)];
}

function visible(numbers: Numbers, shape: Shape, summarize: boolean): (number | bigint)[] {
  const walk = (dim: number, offset: number, span: number): (number | bigint)[] => {
    if (dim === shape.length) return [numbers[offset] ?? 0];
    const step = span / (shape[dim] ?? 1);
    return edges(shape[dim] ?? 0, summarize).flatMap((i) =>
      i < 0 ? [] : walk(dim + 1, offset + i * step, step),
    );
  };
  return numbers.length === 0 ? [] : walk(0, 0, numbers.length);
}

/** One format for all elements: whole, fixed or scientific, as torch chooses. */
function formatOf(shown: readonly (number | bigint)[], dtype: DType): Format {
  if (!isFloat(dtype)) {
    const text = dtype === "bool" ? (n: number | bigint) => String(Number(n) !== 0) : String;
    return { text, width: widest(shown, text) };
  }
  // What is not finite, and zeros, have no say.
  const counted = shown.map(Number).filter((n) => Number.isFinite(n) && n !== 0);
  const number = numberFormat(counted);
  const text = (value: number | bigint): string => {
    const n = Number(value);
    if (Number.isFinite(n)) return n < 0 || Object.is(n, -0) ? `-${number(-n)}` : number(n);
    if (Number.isNaN(n)) return "nan";
    return n > 0 ? "inf" : "-inf";
  };
  return { text, width: widest(counted, text) };
}

function widest<T>(values: readonly T[], text: (value: T) => string): number {
  return values.reduce((width, v) => Math.max(width, text(v).length), 1);
}

/** How a number of 0 or more is written beside others. */
function numberFormat(counted: readonly number[]): (n: number) => string {
  const sizes = counted.map(Math.abs);
  const largest = sizes.reduce((a, b) => Math.max(a, b), 0);
  const smallest = sizes.reduce((a, b) => Math.min(a, b), Infinity);
  if (largest / smallest > 1000 || largest > 1e8 || smallest < 1e-4) return exponential;
  return counted.every((n) => Number.isInteger(n)) ? (n) => `${n}.` : fixed;
}

/** Digits enough for what a tie looks like: 5 and zeros after the last one that is kept. */
const EXACT = 60;
const TIE = `5${"0".repeat(EXACT - PRECISION - 1)}`;

/** toFixed, but with ties to the even digit, as C's printf rounds. */
function fixed(n: number): string {
  return toEven(n.toFixed(EXACT), n.toFixed(PRECISION));
}

function exponential(n: number): string {
  const [digits = "", floor = "+0"] = n.toExponential(EXACT).split("e");
  const [nearest = "", rounded = "+0"] = n.toExponential(PRECISION).split("e");
  const mantissa = toEven(digits, nearest);
  const power = mantissa === nearest ? rounded : floor;
  return `${mantissa}e${power.slice(0, 1)}${power.slice(1).padStart(2, "0")}`;
}

/** `nearest`, or the number below it when that is as near and ends in an even digit. */
function toEven(digits: string, nearest: string): string {
  const below = digits.slice(0, PRECISION - EXACT);
  return digits.endsWith(TIE) && Number(below.at(-1)) % 2 === 0 ? below : nearest;
}

function layout(
  numbers: Numbers,
  shape: Shape,
  cell: (n: number | bigint) => string,
  width: number,
  summarize: boolean,
): string {
  const indent = PREFIX.length;
  const rows = (dim: number, offset: number, span: number): string => {
    const step = span / Math.max(1, shape[dim] ?? 1);
    const at = edges(shape[dim] ?? 0, summarize);
    if (dim === shape.length - 1) {
      const cells = at.map((i) => (i < 0 ? " ..." : cell(numbers[offset + i] ?? 0)));
      return `[${wrap(cells, width, indent + dim)}]`;
    }
    const gap = `,${"\n".repeat(shape.length - 1 - dim)}${" ".repeat(indent + dim + 1)}`;
    const parts = at.map((i) => (i < 0 ? "..." : rows(dim + 1, offset + i * step, step)));
    return `[${parts.join(gap)}]`;
  };
  if (shape.length === 0) return cell(numbers[0] ?? 0);
  return numbers.length === 0 ? "[]" : rows(0, 0, numbers.length);
}

function wrap(cells: readonly string[], width: number, indent: number): string {
  const perLine = Math.max(1, Math.floor((LINE_WIDTH - indent) / (width + 2)));
  const lines: string[] = [];
  for (let i = 0; i < cells.length; i += perLine) {
    lines.push(cells.slice(i, i + perLine).join(", "));
  }
  return lines.join(`,\n${" ".repeat(indent + 1)}`);
}
