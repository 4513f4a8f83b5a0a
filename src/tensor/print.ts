import { isFloat, type DType } from "./dtype.ts";
import { numel, type Shape, show } from "./shape.ts";

const EDGE_ITEMS = 3;
const THRESHOLD = 1000;
const LINE_WIDTH = 80;
const PRECISION = 4;

/** A tensor as PyTorch prints it; without numbers, its shape and type. */
export function format(
  numbers: ArrayLike<number> | undefined,
  shape: Shape,
  dtype: DType,
  requiresGrad: boolean,
): string {
  const suffix = [
    ...(numel(shape) === 0 && shape.length !== 1 ? [`size=${show(shape)}`] : []),
    ...(dtype === "float32" || dtype === "int64" || dtype === "bool" ? [] : [`dtype=${dtype}`]),
    ...(requiresGrad ? ["requiresGrad=true"] : []),
  ];
  if (numbers === undefined) {
    return `tensor(${["not evaluated", `shape=${show(shape)}`, `dtype=${dtype}`].join(", ")})`;
  }
  const summarize = numbers.length > THRESHOLD;
  const shown = visible(numbers, shape, summarize);
  const text = formatter(shown, dtype);
  const width = Math.max(0, ...shown.map((n) => text(n).length));
  const cell = (n: number): string => text(n).padStart(width);
  const body = layout(numbers, shape, cell, width, summarize);
  return `tensor(${[body, ...suffix].join(", ")})`;
}

function edges(n: number, summarize: boolean): number[] {
  const all = Array.from({ length: n }, (_, i) => i);
  if (!summarize || n <= 2 * EDGE_ITEMS) return all;
  return [...all.slice(0, EDGE_ITEMS), -1, ...all.slice(-EDGE_ITEMS)];
}

function visible(numbers: ArrayLike<number>, shape: Shape, summarize: boolean): number[] {
  const walk = (dim: number, offset: number, span: number): number[] => {
    if (dim === shape.length) return [numbers[offset] ?? 0];
    const step = span / (shape[dim] ?? 1);
    return edges(shape[dim] ?? 0, summarize).flatMap((i) =>
      i < 0 ? [] : walk(dim + 1, offset + i * step, step),
    );
  };
  return numbers.length === 0 ? [] : walk(0, 0, numbers.length);
}

/** One format for all elements: whole, fixed or scientific, as torch chooses. */
function formatter(shown: readonly number[], dtype: DType): (n: number) => string {
  if (dtype === "bool") return (n) => (n === 0 ? "false" : "true");
  if (!isFloat(dtype)) return String;
  const finite = shown.filter((n) => Number.isFinite(n));
  const magnitudes = finite.filter((n) => n !== 0).map(Math.abs);
  const [largest, smallest] = [Math.max(0, ...magnitudes), Math.min(Infinity, ...magnitudes)];
  const whole = finite.every((n) => Number.isInteger(n));
  const scientific = whole
    ? largest >= 1e8
    : largest / smallest > 1000 || largest >= 1e8 || smallest < 1e-4;
  const number = (n: number): string => {
    if (scientific) return exponential(n);
    return whole ? `${n}.` : n.toFixed(PRECISION);
  };
  return (n) => {
    if (Number.isFinite(n)) return Object.is(n, -0) ? `-${number(0)}` : number(n);
    if (Number.isNaN(n)) return "nan";
    return n > 0 ? "inf" : "-inf";
  };
}

function exponential(n: number): string {
  const [mantissa = "", exponent = "+0"] = n.toExponential(PRECISION).split("e");
  const sign = exponent.startsWith("-") ? "-" : "+";
  return `${mantissa}e${sign}${exponent.slice(1).padStart(2, "0")}`;
}

function layout(
  numbers: ArrayLike<number>,
  shape: Shape,
  cell: (n: number) => string,
  width: number,
  summarize: boolean,
): string {
  const indent = "tensor(".length;
  const rows = (dim: number, offset: number, span: number): string => {
    const step = span / Math.max(1, shape[dim] ?? 1);
    const at = edges(shape[dim] ?? 0, summarize);
    if (dim === shape.length - 1) {
      const cells = at.map((i) => (i < 0 ? "..." : cell(numbers[offset + i] ?? 0)));
      return `[${wrap(cells, width, indent + dim + 1)}]`;
    }
    const gap = ",\n".padEnd(shape.length - dim, "\n") + " ".repeat(indent + dim + 1);
    const parts = at.map((i) => (i < 0 ? "..." : rows(dim + 1, offset + i * step, step)));
    return `[${parts.join(gap)}]`;
  };
  if (shape.length === 0) return cell(numbers[0] ?? 0).trim();
  return numbers.length === 0 ? "[]" : rows(0, 0, numbers.length);
}

function wrap(cells: readonly string[], width: number, indent: number): string {
  const perLine = Math.max(1, Math.floor((LINE_WIDTH - indent) / (width + 2)));
  const lines: string[] = [];
  for (let i = 0; i < cells.length; i += perLine) {
    lines.push(cells.slice(i, i + perLine).join(", "));
  }
  return lines.join(`,\n${" ".repeat(indent)}`);
}
