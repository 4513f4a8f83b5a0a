import type { DType } from "../../tensor/dtype.ts";
import { numel } from "../../tensor/shape.ts";
import { type Blocks, isStep, type Step, type Value, type Widening } from "./step.ts";

/** What steps read in float32 of weights in 16 bits: by ids of steps, and then of their operands. */
export type Widenings = ReadonlyMap<number, ReadonlyMap<number, Widening>>;

/**
 * Numbers of widened weights that may lie in memory for those who read them next, 16 MiB in float32: the
 * steps of a recurrence share a copy, and passes through a model of many layers do not.
 */
const SHARED = 2 ** 22;

/**
 * Numbers of a block, as measured in docs/architecture.md: both forms of it stay in the processor's cache,
 * and their memory is reused by the next.
 */
const BLOCK = 2 ** 19;

/** Rows of a block at least: of fewer, a product costs more. */
const FEWEST = 64;

/** One step's reading of a weight. */
interface Use {
  readonly step: number;
  readonly operand: number;
}

/** A copy in float32, and who reads it. */
interface Copy {
  readonly cast: Step;
  readonly uses: Use[];
}

/** Finds who reads weights of 16 bits, and which of them read the same copy in float32. */
export function findWidenings(values: readonly Value[]): Widenings {
  const found = new Map<number, Map<number, Widening>>();
  copiesOf(values).forEach(({ cast, uses }, copy) => {
    const [source = -1] = cast.inputs;
    const from = halfOf(cast) ?? "float16";
    const [only] = uses;
    const blocks = only && uses.length === 1 ? blocksFor(values, only) : undefined;
    const widening = { source, from, copy, ...(blocks === undefined ? {} : { blocks }) };
    for (const { step, operand } of uses) {
      const own = found.get(step) ?? new Map<number, Widening>();
      found.set(step, own.set(operand, widening));
    }
  });
  return found;
}

/** What of a widening decides how it is written: part of a signature. */
export function spelledWidening(step: number, operand: number, { copy, blocks }: Widening): string {
  const cut = blocks && `${blocks.dim}:${blocks.shape.join("x")}/${blocks.size}`;
  return `widen ${step}.${operand}=${copy}${cut === undefined ? "" : `|${cut}`}`;
}

/** The type that a step widens a value from outside from, if that is what it does. */
function halfOf({ origin }: Step): Widening["from"] | undefined {
  const [kept] = origin.inputs;
  const dtype: DType | undefined = kept?.dtype;
  if (origin.op !== "cast" || (dtype !== "float16" && dtype !== "bfloat16")) return undefined;
  return (origin.attributes as { readonly dtype: DType }).dtype === "float32" ? dtype : undefined;
}

function copiesOf(values: readonly Value[]): Copy[] {
  const copies: Copy[] = [];
  const recent = new Map<number, Copy>();
  let held = 0;
  const drop = (id: number, { cast }: Copy): void => {
    if (recent.delete(id)) held -= numel(cast.tensor.shape);
  };
  const copyOf = (id: number, cast: Step): Copy => {
    const known = recent.get(id);
    if (known !== undefined) drop(id, known);
    const copy = known ?? { cast, uses: [] };
    if (known === undefined) copies.push(copy);
    recent.set(id, copy);
    held += numel(cast.tensor.shape);
    for (const [old, other] of recent) if (held > SHARED) drop(old, other);
    return copy;
  };
  values.forEach((value, step) => {
    if (!isStep(value)) return;
    for (const operand of new Set(value.inputs)) {
      const cast = values[operand];
      if (cast === undefined || !isStep(cast) || halfOf(cast) === undefined) continue;
      const kept = values[cast.inputs[0] ?? -1];
      if (kept !== undefined && !isStep(kept)) copyOf(operand, cast).uses.push({ step, operand });
    }
  });
  return copies;
}

/** The blocks of a weight that one product alone reads, if they are several. */
function blocksFor(values: readonly Value[], { step, operand }: Use): Blocks | undefined {
  const product = values[step];
  if (product === undefined || !isStep(product) || product.inputs[0] === operand) return undefined;
  const { op, inputs } = product.origin;
  const [x, w] = inputs;
  if (product.inputs[1] !== operand || product.inputs[2] === operand) return undefined;
  const isProduct = op === "linear" || (op === "matmul" && x?.shape.length === 2);
  const [rows, columns, ...more] = w?.shape ?? [];
  const isMatrix = columns !== undefined && more.length === 0;
  if (!isProduct || !isMatrix || rows === undefined) return undefined;
  return op === "linear" ? cut([rows, columns], 0) : cut([rows, columns], 1);
}

function cut(shape: readonly [number, number], dim: 0 | 1): Blocks | undefined {
  const [length, line] = [shape[dim], shape[1 - dim] ?? 1];
  const ideal = Math.max(FEWEST, Math.round(BLOCK / Math.max(1, line)));
  if (length < 2 * FEWEST || length <= ideal) return undefined;
  const size = evenly(length, ideal) ?? ideal;
  const count = Math.ceil(length / size);
  const starts = Array.from({ length: count }, (_, i) => Math.min(i * size, length - size));
  return { dim, size, starts, shape };
}

/** The size of blocks that come out even that is next to the one wanted, if one is near. */
function evenly(length: number, wanted: number): number | undefined {
  const [least, most] = [Math.max(FEWEST, wanted / 2), Math.min(length / 2, 3 * wanted)];
  const distance = (size: number): number => Math.abs(Math.log(size / wanted));
  let best: number | undefined;
  for (let count = Math.ceil(length / most); length / count >= least; count++) {
    const size = length / count;
    if (Number.isInteger(size) && distance(size) < distance(best ?? Infinity)) best = size;
  }
  return best;
}
