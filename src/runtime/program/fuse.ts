import type { OpName, Ops } from "../../tensor/ops/ops.ts";
import { sameShape, type Shape } from "../../tensor/shape.ts";
import { type Attention, isStep, type Joined, type Step, type Value } from "./step.ts";

/** The product of two values. */
interface Product {
  readonly a: number;
  readonly b: number;
  readonly scale: number;
}

/**
 * Finds attention that is written out, so that ONNX Runtime's one kernel for it can compute it. That
 * gives the same values to the last bit, so that it does not matter whether an edit of the attention
 * weights prevents it. Where somebody else reads the weights too, it stays written out.
 */
export class AttentionFinder {
  readonly #values: readonly Value[];
  readonly #uses: Uint32Array;

  constructor(values: readonly Value[], outputs: readonly number[]) {
    this.#values = values;
    this.#uses = new Uint32Array(values.length);
    for (const id of outputs) this.#count(id);
    for (const value of values) if (isStep(value)) value.inputs.forEach((id) => this.#count(id));
  }

  /** The attention whose result a step is. */
  find(id: number): Attention | undefined {
    if (this.#values[id]?.tensor.dtype !== "float32") return undefined;
    const mixed = this.#product(id, (i) => this.#plain(i));
    const softmax = this.#only(mixed?.a, "softmax");
    const dim = (softmax?.origin.attributes as Ops["softmax"] | undefined)?.dim;
    if (mixed === undefined || softmax === undefined || dim !== 3) return undefined;
    const [scores = -1] = softmax.inputs;
    const [sum = scores, mask] = this.#only(scores, "add")?.inputs ?? [];
    if (mask !== undefined && !this.#masks(mask, scores)) return undefined;
    const product = this.#uses[sum] === 1 ? this.#product(sum, (i) => this.#turned(i)) : undefined;
    if (product === undefined) return undefined;
    const [key, value] = [product.b, mixed.b];
    const [keys, values] = [this.#joined(key), this.#joined(value)];
    const cache = keys && values && { key: keys, value: values };
    return { query: product.a, key, value, mask, scale: product.scale, cache };
  }

  /** What is put together of two along the dimension of the keys. */
  #joined(id: number): Joined | undefined {
    const step = this.#step(id, "concat");
    const [past, added, ...more] = step?.inputs ?? [];
    const { dim } = (step?.origin.attributes ?? { dim: -1 }) as Ops["concat"];
    if (past === undefined || added === undefined || more.length > 0 || dim !== 2) return undefined;
    return { past, added };
  }

  /**
   * A product of float32 [batch, heads, m, k] and [batch, heads, k, n]; or one with fewer heads of
   * b, each of which serves a group of a's, which is written with a dimension more.
   *
   * @param inner Reads the product, the result of which has the shape of the product.
   */
  #product(
    id: number | undefined,
    inner: (id: number) => Product | undefined,
  ): Product | undefined {
    const reshaped = this.#step(id, "reshape");
    if (reshaped === undefined) return this.#checked(id === undefined ? undefined : inner(id));
    const [written = -1] = reshaped.inputs;
    const product = this.#uses[written] === 1 ? inner(written) : undefined;
    const a = this.#step(product?.a, "reshape")?.inputs[0];
    const b = this.#step(product?.b, "reshape")?.inputs[0];
    if (product === undefined || a === undefined || b === undefined) return undefined;
    const [batch = 1, heads = 1, ...rows] = this.#shape(a);
    const [, few = 1, ...columns] = this.#shape(b);
    const fits =
      sameShape(this.#shape(product.a), [batch, few, heads / few, ...rows]) &&
      sameShape(this.#shape(product.b), [batch, few, 1, ...columns]) &&
      sameShape(reshaped.tensor.shape, [batch, heads, ...this.#shape(written).slice(3)]);
    return fits ? { ...product, a, b } : undefined;
  }

  /** a b */
  #plain(id: number): Product | undefined {
    const [a, b] = this.#step(id, "matmul")?.inputs ?? [];
    return a === undefined || b === undefined ? undefined : { a, b, scale: 1 };
  }

  /** a bᵀ scale */
  #turned(id: number): Product | undefined {
    const scaled = this.#step(id, "mul");
    const factor = this.#step(scaled?.inputs[1], "constant")?.origin.attributes;
    if (scaled !== undefined && factor === undefined) return undefined;
    const product = scaled === undefined ? id : this.#only(scaled.inputs[0], "matmul");
    const [a, turned] = this.#step(scaled?.inputs[0] ?? id, "matmul")?.inputs ?? [];
    const b = this.#untransposed(turned);
    if (product === undefined || a === undefined || b === undefined) return undefined;
    return { a, b, scale: factor === undefined ? 1 : (factor as Ops["constant"]).value };
  }

  /** The product, if its operands have the same batch and the same heads. */
  #checked(product: Product | undefined): Product | undefined {
    const [a, b] = [this.#shape(product?.a), this.#shape(product?.b)];
    const fits = a.length === 4 && b.length === 4 && sameShape(a.slice(0, 2), b.slice(0, 2));
    return fits ? product : undefined;
  }

  /** What a transpose of the last two dimensions, and of nothing else, is of. */
  #untransposed(id: number | undefined): number | undefined {
    const step = this.#step(id, "permute");
    if (step === undefined) return undefined;
    const { dims } = step.origin.attributes as Ops["permute"];
    const last = dims.length - 1;
    const swapped = dims.map((_, d) => (d < last - 1 ? d : 2 * last - 1 - d));
    return sameShape(dims, swapped) ? step.inputs[0] : undefined;
  }

  /** Whether a mask has a row for each query and a column for each key. */
  #masks(mask: number, scores: number): boolean {
    const [own, all] = [this.#shape(mask), this.#shape(scores)];
    return own.length >= 2 && sameShape(own.slice(-2), all.slice(-2));
  }

  #shape(id: number | undefined): Shape {
    return this.#values[id ?? -1]?.tensor.shape ?? [];
  }

  #step(id: number | undefined, op: OpName): Step | undefined {
    const value = this.#values[id ?? -1];
    return value !== undefined && isStep(value) && value.origin.op === op ? value : undefined;
  }

  /** The step, if one other alone reads it. */
  #only(id: number | undefined, op: OpName): Step | undefined {
    return this.#uses[id ?? -1] === 1 ? this.#step(id, op) : undefined;
  }

  #count(id: number): void {
    this.#uses[id] = (this.#uses[id] ?? 0) + 1;
  }
}
