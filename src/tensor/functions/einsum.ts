import { apply } from "../ops/apply.ts";
import { cast, mul } from "./arithmetic.ts";
import { resultType } from "../dtype.ts";
import { fail } from "../errors.ts";
import { diagonal } from "./diagonals.ts";
import { NONE } from "../ops/ops.ts";
import { sum } from "./reductions.ts";
import { numel, show } from "../shape.ts";
import { expand, permute, reshape, sizeAt } from "./shaping.ts";
import type { Tensor } from "../tensor.ts";

/** A tensor whose dimensions have names: letters, and "0", "1", ... for those of an ellipsis. */
interface Labelled {
  readonly tensor: Tensor;
  readonly labels: readonly string[];
}

interface Equation {
  readonly operands: readonly Labelled[];
  readonly output: readonly string[];
}

/**
 * Sums of products, in Einstein's notation: `einsum("bqd,bkd->bqk", q, k)`. Letters name the
 * dimensions, those that the result lacks are summed over; `...` stands for leading dimensions that
 * broadcast. Without `->` the result has the letters that occur once, in alphabetical order.
 *
 * @throws TensorError when letters do not fit dimensions, or sizes of one letter differ.
 *
 * @example
 * ```ts
 * import { einsum, ones } from "tsvene";
 * console.log(einsum("ij,jk->ik", ones([2, 3]), ones([3, 4])).shape); // [2, 4]
 * ```
 */
export function einsum(equation: string, ...tensors: readonly Tensor[]): Tensor {
  if (tensors.length === 0) fail("einsum", "expected at least one tensor");
  const dtype = resultType(tensors);
  const { operands, output } = parse(
    equation,
    tensors.map((t) => cast(t, dtype)),
  );
  checkSizes(equation, operands);
  const [first, ...rest] = operands.map(withDiagonals);
  let left = first as Labelled;
  rest.forEach((right, i) => {
    const needed = new Set([...output, ...rest.slice(i + 1).flatMap((o) => o.labels)]);
    left = contract(summed(left, needed, right), summed(right, needed, left), needed);
  });
  const { tensor, labels } = summed(left, new Set(output));
  return permute(
    tensor,
    output.map((label) => labels.indexOf(label)),
  );
}

function parse(equation: string, tensors: readonly Tensor[]): Equation {
  const [left = "", right, ...more] = equation.replaceAll(" ", "").split("->");
  const terms = left.split(",");
  if (terms.length !== tensors.length || more.length > 0) {
    fail("einsum", `"${equation}" has ${terms.length} operands, but ${tensors.length} were given`);
  }
  const operands = terms.map((term, i) => {
    const tensor = tensors[i] as Tensor;
    return { tensor, labels: labelsOf(equation, term, tensor.shape.length) };
  });
  const known = operands.flatMap((o) => o.labels);
  const dots = [...new Set(known.filter(isDot))].sort((a, b) => Number(b) - Number(a));
  if (right === undefined) return { operands, output: [...dots, ...once(known)] };
  const output = spelled(equation, right).flatMap((label) => (label === "..." ? dots : [label]));
  for (const label of output) {
    if (!known.includes(label)) fail("einsum", `"${equation}" has no operand with "${label}"`);
  }
  if (new Set(output).size !== output.length) {
    fail("einsum", `"${equation}" names a dimension of the result twice`);
  }
  return { operands, output };
}

const isDot = (label: string): boolean => /^\d+$/.test(label);

/** Letters that occur once, in order. */
function once(labels: readonly string[]): string[] {
  return [...new Set(labels)]
    .filter((l) => !isDot(l) && labels.indexOf(l) === labels.lastIndexOf(l))
    .sort();
}

/** Splits a term into letters and "...". */
function spelled(equation: string, term: string): string[] {
  const parts = term.match(/\.\.\.|[a-zA-Z]|./g) ?? [];
  for (const part of parts) {
    if (part !== "..." && !/[a-zA-Z]/.test(part)) {
      fail("einsum", `"${equation}" holds "${part}"; expected letters, "...", "," and "->"`);
    }
  }
  if (parts.filter((part) => part === "...").length > 1) {
    fail("einsum", `"${equation}" has two ellipses in "${term}"`);
  }
  return parts;
}

/** Names of a tensor's dimensions; those of the ellipsis count from the last, as they broadcast. */
function labelsOf(equation: string, term: string, rank: number): string[] {
  const parts = spelled(equation, term);
  const covered = rank - parts.filter((part) => part !== "...").length;
  if (covered < 0 || (covered > 0 && !parts.includes("..."))) {
    fail("einsum", `"${term}" of "${equation}" does not name ${rank} dimensions`);
  }
  return parts.flatMap((part) =>
    part === "..." ? Array.from({ length: covered }, (_, i) => String(covered - 1 - i)) : [part],
  );
}

function checkSizes(equation: string, operands: readonly Labelled[]): void {
  const sizes = new Map<string, number>();
  for (const { tensor, labels } of operands) {
    labels.forEach((label, d) => {
      const [n, known] = [sizeAt(tensor, d), sizes.get(label)];
      if (known === undefined || known === 1) sizes.set(label, n);
      else if (n !== 1 && n !== known) {
        const shapes = operands.map((o) => show(o.tensor.shape)).join(", ");
        fail("einsum", `"${label}" of "${equation}" is ${known} and ${n} in shapes ${shapes}`);
      }
    });
  }
}

/** A letter that occurs twice in one operand takes its diagonal. */
function withDiagonals(operand: Labelled): Labelled {
  const { tensor, labels } = operand;
  const second = labels.findIndex((label, d) => labels.indexOf(label) < d);
  if (second < 0) return operand;
  const label = labels[second] as string;
  const rest = labels.filter((_, d) => d !== second && d !== labels.indexOf(label));
  return withDiagonals({
    tensor: diagonal(tensor, 0, labels.indexOf(label), second),
    labels: [...rest, label],
  });
}

/** Sums over the dimensions that neither the rest nor the other operand needs. */
function summed(o: Labelled, needed: ReadonlySet<string>, other?: Labelled): Labelled {
  const stays = (label: string): boolean =>
    needed.has(label) || other?.labels.includes(label) === true;
  const dim = o.labels.flatMap((label, d) => (stays(label) ? [] : [d]));
  if (dim.length === 0) return o;
  return { tensor: sum(o.tensor, { dim }), labels: o.labels.filter(stays) };
}

/** The product of two operands, summed over what both have and nobody needs: one matmul. */
function contract(a: Labelled, b: Labelled, needed: ReadonlySet<string>): Labelled {
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter((label) => needed.has(label));
  const inner = shared.filter((label) => !needed.has(label));
  const own = (o: Labelled): string[] => o.labels.filter((label) => !shared.includes(label));
  if (inner.length === 0) return multiplied(a, b, [...batch, ...own(a), ...own(b)]);
  const size = (label: string): number => {
    const n = sizeOf(a, label);
    return n === 1 ? sizeOf(b, label) : n;
  };
  const stacked = (o: Labelled, order: readonly string[], groups: readonly string[][]): Tensor => {
    const full = expand(
      arranged(o, order),
      order.map((label) => (shared.includes(label) ? size(label) : sizeOf(o, label))),
    );
    const sizes = groups.map((group) =>
      numel(group.map((label) => (shared.includes(label) ? size(label) : sizeOf(o, label)))),
    );
    return reshape(full, sizes);
  };
  const left = stacked(a, [...batch, ...own(a), ...inner], [batch, own(a), inner]);
  const right = stacked(b, [...batch, ...inner, ...own(b)], [batch, inner, own(b)]);
  const labels = [...batch, ...own(a), ...own(b)];
  const sizes = labels.map((label) => size(label));
  return { tensor: reshape(apply("matmul", [left, right], NONE), sizes), labels };
}

function sizeOf(o: Labelled, label: string): number {
  const d = o.labels.indexOf(label);
  return d < 0 ? 1 : sizeAt(o.tensor, d);
}

function arranged(o: Labelled, order: readonly string[]): Tensor {
  return permute(
    o.tensor,
    order.map((label) => o.labels.indexOf(label)),
  );
}

function multiplied(a: Labelled, b: Labelled, labels: readonly string[]): Labelled {
  const placed = (o: Labelled): Tensor =>
    reshape(
      arranged(
        o,
        labels.filter((label) => o.labels.includes(label)),
      ),
      labels.map((label) => sizeOf(o, label)),
    );
  return { tensor: mul(placed(a), placed(b)), labels };
}
