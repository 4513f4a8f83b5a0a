import type { Tensor } from "../../tensor/tensor.ts";
import { traits } from "../../tensor/ops/traits.ts";
import { coordinatesOf, countsRows } from "../../runtime/program/row-axes.ts";
import { spelled } from "../../runtime/program/spelled.ts";

/** Numbers that stand for computations: the same number, the same computation on the same weights. */
export class Structures {
  readonly #ids = new Map<string, number>();
  readonly #weights = new WeakMap<Tensor, number>();
  #weightCount = 0;

  /** How many are known. */
  get size(): number {
    return this.#ids.size;
  }

  /** The number of a description. */
  of(description: string): number {
    const known = this.#ids.get(description);
    if (known !== undefined) return known;
    const id = this.#ids.size;
    this.#ids.set(description, id);
    return id;
  }

  /** The number of what a module holds, until it holds another. */
  ofWeight(t: Tensor): number {
    const known = this.#weights.get(t) ?? this.#weightCount++;
    this.#weights.set(t, known);
    return this.of(`weight ${known}`);
  }
}

/** What a graph is made from besides weights and plain numbers, and the structure of each tensor in it. */
export class Structure {
  /** Data of this trace, in the order in which it was met. */
  readonly leaves: Tensor[] = [];
  /** Size of the batch. */
  readonly rows: number;
  readonly #structures: Structures;
  readonly #ids = new Map<Tensor, number>();
  readonly #slots = new Map<Tensor, number>();

  constructor(structures: Structures, rows: number) {
    this.#structures = structures;
    this.rows = rows;
  }

  /** The number of a tensor's structure; operands come before what is made of them. */
  add(t: Tensor): number {
    const id = this.#describe(t);
    this.#ids.set(t, id);
    return id;
  }

  /** The number of a tensor's structure. */
  idOf(t: Tensor): number {
    return this.#ids.get(t) ?? this.add(t);
  }

  /** The place of data among the leaves; undefined for weights and plain numbers. */
  slotOf(t: Tensor): number | undefined {
    return this.#slots.get(t);
  }

  /** Whether the shape that sizes say is written down without the size of the batch. */
  isOpen({ origin, shape }: Tensor): boolean {
    return origin !== undefined && traits[origin.op].sizes === "shape" && shape[0] === this.rows;
  }

  #describe(t: Tensor): number {
    if (t.lasting) return this.#structures.ofWeight(t);
    const { origin, values, shape, dtype } = t;
    if (values !== undefined || origin === undefined) {
      if (shape.length === 0) return this.#structures.of(`= ${dtype} ${values?.[0]}`);
      return this.#structures.of(this.#leaf(t));
    }
    const inputs = origin.inputs.map((u) => this.idOf(u)).join();
    const attributes = spelled(origin.attributes);
    const sizes = this.isOpen(t) ? `batch,${shape.slice(1).join()}` : origin.sizes.join(";");
    const points = coordinatesOf(t);
    const kind = points !== undefined && countsRows(points) ? " in rows" : "";
    return this.#structures.of(`${origin.op}${attributes}(${inputs})${sizes}${kind}`);
  }

  #leaf(t: Tensor): string {
    const slot = this.#slots.get(t) ?? this.leaves.push(t) - 1;
    this.#slots.set(t, slot);
    const [first = 0, ...rest] = t.shape;
    const size = first === this.rows ? "batch" : first;
    return `data ${slot} ${t.dtype} ${[size, ...rest].join()}`;
  }
}

/** Size of the batch: the first dimension that most of the data has. */
export function batchSizeOf(tensors: Iterable<Tensor>): number {
  const counts = new Map<number, number>();
  for (const { values, lasting, shape } of tensors) {
    const [size] = shape;
    if (size !== undefined && values !== undefined && !lasting) {
      counts.set(size, (counts.get(size) ?? 0) + 1);
    }
  }
  const [most] = [...counts].sort(([m, a], [n, b]) => b - a || n - m);
  return most?.[0] ?? 1;
}
