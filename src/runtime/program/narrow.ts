import { apply, type Origin } from "../../tensor/ops/apply.ts";
import { internal } from "../../base/errors.ts";
import { pending, upstream } from "../../tensor/graph.ts";
import type { Ops } from "../../tensor/ops/ops.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { traits } from "../../tensor/ops/traits.ts";
import { varyingPart } from "../../tensor/varying.ts";
import { narrowings, type Narrowing } from "./narrowings.ts";

/** Part of a tensor along one dimension. */
export interface Part {
  readonly dim: number;
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** How much of a value its readers want: one part, or all of it. */
type Demand = Part | "all";

function samePart(a: Part, b: Part): boolean {
  return a.dim === b.dim && a.start === b.start && a.end === b.end && a.step === b.step;
}

/** The part that a slice reads, if it is along one dimension. */
function partOf(origin: Origin): Part | undefined {
  if (origin.op !== "slice") return undefined;
  const { dims, steps } = origin.attributes as Ops["slice"];
  const [dim, step] = [dims[0], steps[0] ?? 1];
  if (dims.length !== 1 || dim === undefined || step < 1) return undefined;
  return { dim, start: origin.sizes[0]?.[0] ?? 0, end: origin.sizes[1]?.[0] ?? 0, step };
}

function take(x: Tensor, { dim, start, end, step }: Part): Tensor {
  return apply("slice", [x], { dims: [dim], steps: [step] }, [[start], [end]]);
}

/** Lazy tensors upstream of the targets, operands first; undefined when no slice is among them. */
function collect(targets: readonly Tensor[]): Tensor[] | undefined {
  const order = pending(targets);
  return order.some((t) => t.origin?.op === "slice") ? order : undefined;
}

/** A part of a tensor that is, as it stands, a part of one operand. */
interface Passed {
  /** Place of the operand. */
  readonly operand: number;
  readonly part: Part;
}

/** Whether a part that lies within what was padded is taken without the padding. */
type Padding = "left out" | "kept";

/** Where sizes vary, a part lies there only by accident: it is to be the same program where it does not. */
function paddingOf(targets: readonly Tensor[], order: readonly Tensor[]): Padding {
  const isPadded = order.some(({ origin }) => origin?.op === "pad");
  return isPadded && [...upstream(targets)].some((t) => varyingPart(t) !== undefined)
    ? "kept"
    : "left out";
}

/** Where a part of what operands were put together to comes from, if that is one of them alone. */
function passed({ origin }: Tensor, part: Part, padding: Padding): Passed | undefined {
  if (origin?.op === "concat") {
    const { dim } = origin.attributes as Ops["concat"];
    return dim === part.dim ? withinOne(origin.inputs, part) : undefined;
  }
  if (origin?.op !== "pad" || padding === "kept") return undefined;
  const [pads = []] = origin.sizes;
  const rank = pads.length / 2;
  const isOther = (n: number, i: number): boolean => i % rank !== part.dim && n !== 0;
  const { mode } = origin.attributes as Ops["pad"];
  if (mode !== "constant" || pads.some(isOther)) return undefined;
  return withinOne(origin.inputs, moved(part, pads[part.dim] ?? 0));
}

function moved(part: Part, by: number): Part {
  return { ...part, start: part.start - by, end: part.end - by };
}

/** The operand that holds a part of all of them, one after the other along its dimension. */
function withinOne(operands: readonly Tensor[], part: Part): Passed | undefined {
  let at = 0;
  for (const [operand, { shape }] of operands.entries()) {
    const own = moved(part, at);
    const size = shape[part.dim] ?? 0;
    if (own.start >= 0 && own.end <= size) return { operand, part: own };
    at += size;
  }
  return undefined;
}

/** What one narrowed step asks of its operands. */
function partsOfInputs(t: Tensor, part: Part): readonly (Part | undefined)[] | undefined {
  const origin = t.origin ?? internal("a step without an origin");
  const narrowing = narrowings[origin.op] as Narrowing<unknown> | null;
  return narrowing?.({ result: t, part, ...origin });
}

/**
 * Demands of every step that is read, readers first; a step that cannot be narrowed is wanted whole.
 */
function demandsOf(
  targets: readonly Tensor[],
  order: readonly Tensor[],
  padding: Padding,
): Map<Tensor, Demand> {
  const demands = new Map<Tensor, Demand>(targets.map((t) => [t, "all"]));
  const want = (t: Tensor, demand: Demand): void => {
    const sofar = demands.get(t);
    if (sofar === undefined) demands.set(t, demand);
    else if (sofar === "all" || demand === "all" || !samePart(sofar, demand)) demands.set(t, "all");
  };
  for (const t of [...order].reverse()) {
    const origin = t.origin ?? internal("a step without an origin");
    const wanted = demands.get(t);
    if (wanted === undefined) continue;
    const demand = stopsSlice(origin, wanted, padding) ? "all" : wanted;
    if (demand === "all") demands.set(t, "all");
    const from = demand === "all" ? undefined : passed(t, demand, padding);
    if (from !== undefined) {
      want(origin.inputs[from.operand] ?? internal("no operand"), from.part);
      continue;
    }
    const parts = demand === "all" ? undefined : partsOfInputs(t, demand);
    if (parts === undefined) demands.set(t, "all");
    const sliced = parts === undefined ? partOf(origin) : undefined;
    origin.inputs.forEach((u, i) => want(u, sliced ?? parts?.[i] ?? "all"));
  }
  return demands;
}

/**
 * Whether a slice is better moved on than the part of it that is read: of one logit at one position, the
 * product with the unembedding is narrowed by the position, and not by the logit.
 */
function stopsSlice(origin: Origin, demand: Demand, padding: Padding): boolean {
  const own = partOf(origin);
  const [source] = origin.inputs;
  if (demand === "all" || own === undefined || source === undefined) return false;
  return !reachesProduct(source, demand, padding) && reachesProduct(source, own, padding);
}

/** Whether a part of a tensor is moved on until there is a product that is smaller for it. */
function reachesProduct(from: Tensor, wanted: Part, padding: Padding): boolean {
  let [t, part] = [from, wanted];
  while (t.values === undefined && t.origin !== undefined) {
    const { op, inputs } = t.origin;
    const one = passed(t, part, padding);
    const parts = one === undefined ? partsOfInputs(t, part) : undefined;
    if (one === undefined && parts === undefined) return false;
    if (traits[op].multiplyAdds(t, inputs) > 0) return true;
    const place = one?.operand ?? parts?.findIndex((own) => own !== undefined) ?? -1;
    const [next, own] = [inputs[place], one?.part ?? parts?.[place]];
    if (next === undefined || own === undefined) return false;
    [t, part] = [next, own];
  }
  return false;
}

/** Of what is still to be computed for targets, that of which something is read once slices are moved. */
export function demanded(targets: readonly Tensor[]): ReadonlySet<Tensor> {
  const order = pending(targets);
  return new Set(demandsOf(targets, order, paddingOf(targets, order)).keys());
}

/**
 * Prunes by demand: where only a part of a result is read (the last position's logits), computes
 * that part only, by moving the slice towards the inputs through every operation that works on
 * each position by itself. The values are the same.
 */
export function narrow(targets: readonly Tensor[]): readonly Tensor[] {
  const order = collect(targets);
  if (order === undefined) return targets;
  const padding = paddingOf(targets, order);
  const demands = demandsOf(targets, order, padding);
  if (![...demands.values()].some((d) => d !== "all")) return targets;
  const built = new Map<Tensor, Tensor>();
  /** An operand, of which only `part` is wanted. */
  const operand = (u: Tensor, part: Part | undefined): Tensor => {
    const whole = built.get(u) ?? u;
    if (part === undefined) return whole;
    const demand = demands.get(u);
    const narrowed = built.has(u) && demand !== undefined && demand !== "all";
    return narrowed ? whole : take(whole, part);
  };
  for (const t of order) {
    const demand = demands.get(t);
    if (demand !== undefined) built.set(t, rebuild(t, { demand, padding }, operand));
  }
  return targets.map((t) => built.get(t) ?? t);
}

function rebuild(
  t: Tensor,
  { demand, padding }: { readonly demand: Demand; readonly padding: Padding },
  operand: (u: Tensor, part: Part | undefined) => Tensor,
): Tensor {
  const origin = t.origin ?? internal("a step without an origin");
  const { op, attributes, inputs, sizes } = origin;
  if (demand !== "all") {
    const from = passed(t, demand, padding);
    if (from !== undefined) {
      return operand(inputs[from.operand] ?? internal("no operand"), from.part);
    }
    const parts = partsOfInputs(t, demand) ?? internal(`${op} cannot be narrowed`);
    const operands = inputs.map((u, i) => operand(u, parts[i]));
    return apply(op, operands, attributes, narrowedSizes(t, origin, demand));
  }
  const sliced = partOf(origin);
  const [source] = inputs;
  if (sliced !== undefined && source !== undefined) return operand(source, sliced);
  const operands = inputs.map((u) => operand(u, undefined));
  if (operands.every((u, i) => u === inputs[i])) return t;
  return apply(op, operands, attributes, sizes);
}

/** Sizes of a narrowed step: those that give the result's shape follow it. */
function narrowedSizes(t: Tensor, { op, sizes }: Origin, part: Part): Origin["sizes"] {
  if (traits[op].sizes !== "shape") return sizes;
  const length = Math.ceil((part.end - part.start) / part.step);
  return sizes.map(() => t.shape.map((n, i) => (i === part.dim ? length : n)));
}
