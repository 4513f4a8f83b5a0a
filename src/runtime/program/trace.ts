import { internal } from "../../base/errors.ts";
import type { DType } from "../../tensor/dtype.ts";
import { upstream } from "../../tensor/graph.ts";
import type { Origin } from "../../tensor/ops/apply.ts";
import type { OpName } from "../../tensor/ops/ops.ts";
import { traits } from "../../tensor/ops/traits.ts";
import { sameShape, type Shape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { spelled } from "./spelled.ts";

/** What was recorded for targets, in an order that is the same in equal traces. */
export interface Trace {
  /** Each after its operands. */
  readonly tensors: readonly Tensor[];
  /** What is computed from what, and asked for, by places in that order. */
  readonly links: readonly number[];
  /** Equal for equal traces, and hardly ever for others. */
  readonly hash: number;
}

/** A place of a trace without its tensor: an operation, or what comes from outside. */
type Mark = Pick<Origin, "op" | "attributes" | "sizes" | "keep"> | Outside;

/** What comes from outside, which no operation makes. */
interface Outside {
  /** None. */
  readonly op: undefined;
  /** Its sizes. */
  readonly shape: Shape;
  /** Its element type. */
  readonly dtype: DType;
}

/** A trace to compare others with, which holds no tensors. */
export interface Outline {
  /** As those of a trace. */
  readonly links: readonly number[];
  /** What stands at each place. */
  readonly marks: readonly Mark[];
}

/** Stands in the links of what comes from outside, where an operation has the number of its operands. */
const OUTSIDE = -1;

const OP_NUMBERS = new Map(Object.keys(traits).map((op, i) => [op as OpName, i]));

/** Mixes a whole number into a hash, as FNV does. */
const mix = (hash: number, n: number): number => Math.imul(hash ^ n, 0x01000193);

/** Reads what is to be computed for targets. */
export function readTrace(targets: readonly Tensor[]): Trace {
  const places = new Map<Tensor, number>();
  const scalars = new Map<string, number>();
  const tensors = [...upstream(targets)];
  const links: number[] = [];
  let hash = tensors.length;
  for (const [place, t] of tensors.entries()) {
    places.set(t, place);
    const origin = pendingOrigin(t);
    if (origin === undefined) {
      links.push(OUTSIDE, scalarPlace(scalars, t, place));
      hash = mixNumbers(hash, t.shape);
      continue;
    }
    links.push(origin.inputs.length);
    for (const u of origin.inputs) links.push(placeOf(places, u));
    hash = mix(hash, OP_NUMBERS.get(origin.op) ?? 0);
    hash = mixValue(hash, origin.attributes);
    for (const sizes of origin.sizes) hash = mixNumbers(hash, sizes);
  }
  for (const t of targets) links.push(placeOf(places, t));
  return { tensors, links, hash: mixNumbers(hash, links) };
}

const pendingOrigin = ({ values, origin }: Tensor): Origin | undefined =>
  values === undefined ? origin : undefined;

function placeOf(places: ReadonlyMap<Tensor, number>, t: Tensor): number {
  return places.get(t) ?? internal("a tensor was not visited");
}

/** Plain numbers are one where they are equal: the place of the first such; of others their own. */
function scalarPlace(scalars: Map<string, number>, t: Tensor, place: number): number {
  if (t.shape.length > 0) return place;
  const key = `${t.dtype}${spelled(t.values?.[0])}`;
  const first = scalars.get(key);
  if (first !== undefined) return first;
  scalars.set(key, place);
  return place;
}

function mixNumbers(start: number, numbers: readonly number[]): number {
  let hash = mix(start, numbers.length);
  for (const n of numbers) hash = mix(hash, n);
  return hash;
}

function mixValue(hash: number, value: unknown): number {
  if (typeof value === "number") return mix(mix(hash, value), value * 2 ** 20);
  if (typeof value === "string") return mix(hash, value.charCodeAt(value.length >> 1));
  if (typeof value !== "object" || value === null) return mix(hash, value === true ? 1 : 2);
  let mixed = hash;
  for (const name in value) mixed = mixValue(mixed, (value as Fields)[name]);
  return mixed;
}

/** What to keep of a trace, to know it again. */
export function outlineOf({ links, tensors }: Trace): Outline {
  const marks = tensors.map((t): Mark => {
    const { op, attributes, sizes, keep } = pendingOrigin(t) ?? {};
    if (op === undefined || attributes === undefined || sizes === undefined) {
      return { op: undefined, shape: t.shape, dtype: t.dtype };
    }
    return { op, attributes, sizes, ...(keep === undefined ? {} : { keep }) };
  });
  return { links, marks };
}

/** Whether a trace is the same as another one but for the numbers that come from outside. */
export function fits({ links, marks }: Outline, trace: Trace): boolean {
  return (
    sameShape(links, trace.links) &&
    marks.length === trace.tensors.length &&
    marks.every((mark, place) => isLike(mark, trace.tensors[place]))
  );
}

function isLike(mark: Mark, t: Tensor | undefined): boolean {
  if (t === undefined) return false;
  const origin = pendingOrigin(t);
  if (mark.op === undefined) {
    return origin === undefined && mark.dtype === t.dtype && sameShape(mark.shape, t.shape);
  }
  if (mark.op !== origin?.op || mark.keep !== origin.keep) return false;
  if (!mark.sizes.every((sizes, i) => sameShape(sizes, origin.sizes[i] ?? []))) return false;
  return sameValue(mark.attributes, origin.attributes);
}

type Fields = Readonly<Record<string, unknown>>;

/** Attributes are the same if all in them is, to the sign of a zero. */
function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  let open = 0;
  for (const name in a) {
    if (!(name in b) || !sameValue((a as Fields)[name], (b as Fields)[name])) return false;
    open++;
  }
  for (const _ in b) open--;
  return open === 0;
}
