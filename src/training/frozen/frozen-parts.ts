import { fail, internal } from "../../base/errors.ts";
import { shown } from "../../base/describe-value.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import {
  bytesOf,
  costOf,
  type Frontier,
  frontierOf,
  type FrozenTensor,
  type KnownUses,
} from "./frontier.ts";
import { KeptRows, KeptStores, type Row } from "./kept-rows.ts";
import { joinedRows, rowOf } from "../../runtime/program/row-values.ts";
import { rowKey, sharedKey } from "./row-keys.ts";
import { SomeRows } from "./rows.ts";
import { Structures } from "./structure.ts";

/** Options of {@link FrozenParts}. */
export interface FrozenOptions {
  /**
   * Bytes that may be kept. Where more would be needed, what saves most per byte is kept, of as many
   * examples as there is room for, and the rest is computed again.
   * @default 1 GiB
   */
  readonly memoryBudget?: number;
}

/** Tensors that are kept together, because they come from the same data. */
export interface KeptPart {
  /** The tensors: the operation that makes each, and its shape for one example. */
  readonly tensors: readonly string[];
  /** Bytes of one example. */
  readonly bytesPerExample: number;
  /** Multiply-adds that each example saves when it comes again. */
  readonly multiplyAddsPerExample: number;
  /** Examples that are kept now. */
  readonly examples: number;
  /** Bytes of all of them. */
  readonly bytes: number;
  /** How many examples were taken from here instead of being computed. */
  readonly reused: number;
}

/** What is kept, and how large it is. */
export interface FrozenReport {
  /** Most bytes that may be kept. */
  readonly memoryBudget: number;
  /** Bytes that are. */
  readonly bytes: number;
  /** What is kept. */
  readonly parts: readonly KeptPart[];
}

const OP = "FrozenParts";
const GIB = 2 ** 30;
/** Looking an example up and copying it takes as long as so many multiply-adds, for it and for a byte. */
const [WORTH_A_ROW, WORTH_A_BYTE] = [20_000, 8];
/** Structures that are remembered; only a graph that is another in each step has as many. */
const MOST_STRUCTURES = 200_000;

/** Tensors that the same examples know. */
interface Group {
  /** By which the group is known from batch to batch. */
  readonly key: string;
  /** The tensors. */
  readonly members: readonly FrozenTensor[];
  /** Number of examples. */
  readonly rows: number;
}

/** A group of a batch, with what is known of its rows. */
interface Looked {
  /** The group. */
  readonly group: Group;
  /** What is kept of it. */
  readonly store: KeptRows;
  /** Digests of the examples. */
  readonly keys: readonly string[];
  /** Rows that are not kept. */
  readonly missing: readonly number[];
}

/**
 * Keeps what does not change while parameters are trained: the states of sources, and the base up to what
 * is trained. Of each batch that is traced it finds the tensors that no trained parameter has a part in and
 * puts the numbers that they had before in their places, example by example, so that data may be shuffled.
 * What is not known is computed, and kept within a budget.
 *
 * Examples are known by their numbers (token ids, masks, places), and computations by what they do with
 * which weights, so that other data, another edit or another weight is never taken for what is kept. A
 * tensor is kept where each row of it is computed from one row of the data; what mixes rows, and what is
 * drawn at random for each batch, is computed again. Kept numbers are those of the batch in which an
 * example came first: the last bits of sums may depend on how many rows a batch has.
 *
 * @example
 * ```ts
 * import { Adam, FrozenParts, Linear, randn } from "tsvene";
 * const [model, probe] = [new Linear(256, 256), new Linear(256, 1)];
 * const x = randn([8, 256]);
 * const frozen = new FrozenParts();
 * const optimizer = new Adam(probe.parameters(), { lr: 0.01 });
 * for (let step = 0; step < 3; step++) {
 *   const loss = probe.forward(model.forward(x)).square().mean();
 *   await frozen.settle([loss], probe.parameters());
 *   await optimizer.step(loss);
 * }
 * console.log(frozen.report().parts[0]?.reused); // 16
 * ```
 */
export class FrozenParts {
  readonly #stores: KeptStores;
  #structures = new Structures();
  #known: KnownUses = new Map();
  readonly #described = new WeakMap<KeptRows, readonly string[]>();

  /** @throws TsveneError for a budget that is no number of bytes. */
  constructor({ memoryBudget = GIB }: FrozenOptions = {}) {
    if (!(memoryBudget >= 0)) {
      fail(OP, `memoryBudget must be a number of bytes, got ${shown(memoryBudget)}`);
    }
    this.#stores = new KeptStores(memoryBudget);
  }

  /** What is kept now. */
  report(): FrozenReport {
    const parts = this.#stores.all.map((store): KeptPart => ({
      tensors: this.#described.get(store) ?? [],
      bytesPerExample: store.rowBytes,
      multiplyAddsPerExample: Math.round(store.saved),
      examples: store.size,
      bytes: store.bytes,
      reused: store.hits,
    }));
    return { memoryBudget: this.#stores.budget, bytes: this.#stores.bytes, parts };
  }

  /** Forgets everything. */
  clear(): void {
    this.#stores.clear();
    this.#structures = new Structures();
    this.#known = new Map();
  }

  /**
   * Gives the frozen tensors that lazy outputs are computed from their numbers: those that are kept, or
   * newly computed ones. The outputs stay lazy, and go on from these.
   *
   * @param outputs - A loss, metrics and whatever else is computed from the same batch.
   * @param trained - The parameters that change from step to step; all others must not be differentiated.
   */
  async settle(outputs: readonly Tensor[], trained: Iterable<Parameter>): Promise<void> {
    if (this.#structures.size > MOST_STRUCTURES) this.clear();
    const values = new Set([...trained].flatMap((p) => [p.value, p.stored]));
    const about = { structures: this.#structures, known: this.#known };
    const frontier = frontierOf(outputs, values, about);
    const looked = groupsOf(frontier).flatMap((group) => this.#look(group, frontier) ?? []);
    const made = await computed(looked);
    for (const [i, look] of looked.entries()) this.#fill(look, made[i] ?? []);
  }

  /** What is kept of a group's examples; undefined where keeping them does not pay. */
  #look(group: Group, { structure }: Frontier): Looked | undefined {
    const store = this.#stores.of(group.key, () => this.#begin(group));
    const { saved, rowBytes } = store;
    if (store.isUseless) return undefined;
    if (saved < WORTH_A_ROW || saved < WORTH_A_BYTE * rowBytes) return undefined;
    const [first] = group.members;
    const leaves = (first?.uses ?? []).map(([slot, axis]) => {
      const leaf = structure.leaves[slot] ?? internal("data is missing");
      return [leaf, axis] as const;
    });
    const shared = leaves.flatMap(([leaf, axis]) => (axis === "whole" ? [leaf] : []));
    const own = leaves.flatMap(([leaf, axis]) => (axis === "whole" ? [] : [[leaf, axis] as const]));
    store.sharing(sharedKey(shared));
    const keys = Array.from({ length: group.rows }, (_, row) => rowKey(own, row, group.rows));
    const missing = [...keys.keys()].filter((row) => store.get(keys[row] ?? "") === undefined);
    store.looked(keys.length, keys.length - missing.length);
    if (store.isUseless) return undefined;
    return { group, store, keys, missing };
  }

  #begin({ members, rows }: Group): KeptRows {
    const tensors = members.map(({ tensor }) => tensor);
    const bytes = tensors.reduce((sum, t) => sum + bytesOf(t), 0);
    const store = new KeptRows(bytes / rows, costOf(tensors) / rows);
    const names = members.map(({ tensor: { origin, shape }, axis }) => {
      const rest = shape.filter((_, dim) => dim !== axis);
      return `${origin?.op} [${rest.join(", ")}]`;
    });
    this.#described.set(store, names);
    return store;
  }

  /** Gives a group's tensors their numbers, and keeps those that are new. */
  #fill({ group, store, keys, missing }: Looked, made: readonly Tensor[]): void {
    const added = new Map<string, Row>();
    const isWhole = made.some((t, i) => t === group.members[i]?.tensor);
    // All rows of the batch were computed, or those that are missing.
    for (const [i, row] of missing.entries()) {
      const at = isWhole ? row : i;
      const parts = group.members.map(({ axis }, member) => {
        const { values, shape } = made[member] ?? internal("a frozen tensor is missing");
        if (values === undefined) return internal("a frozen tensor was not computed");
        return axis === "whole" ? values : rowOf(values, shape, axis, at).slice();
      });
      added.set(keys[row] ?? "", parts);
    }
    const rows = keys.map((key) => added.get(key) ?? store.get(key) ?? internal("no row"));
    for (const [member, { tensor, axis }] of group.members.entries()) {
      const parts = rows.map((row) => row[member] ?? internal("a part of a row is missing"));
      const [whole] = parts;
      const joined = axis === "whole" ? whole : joinedRows(parts, tensor.dtype, tensor.shape, axis);
      tensor.settle(joined ?? internal("no numbers"));
      // Nothing that is differentiated is computed from what was dropped.
      tensor.severed = false;
    }
    const room = this.#stores.room(store, added.size);
    if (room < added.size) store.isFull = true;
    for (const [key, row] of [...added].slice(0, room)) store.set(key, row);
  }
}

/** Frontier tensors by the data that they come from. */
function groupsOf({ tensors, structure }: Frontier): readonly Group[] {
  const groups = new Map<string, FrozenTensor[]>();
  for (const frozen of tensors) {
    const batch = frozen.readsBatchSize ? structure.rows : "any";
    const kind = frozen.axis === "whole" ? "whole" : "rows";
    const key = `${kind} ${batch} ${frozen.uses.join(" ")}`;
    groups.set(key, [...(groups.get(key) ?? []), frozen]);
  }
  return [...groups].map(([key, members]) => ({
    key: `${key}: ${members.map(({ id }) => id).join()}`,
    members,
    rows: members.some(({ axis }) => axis === "whole") ? 1 : structure.rows,
  }));
}

/**
 * Computes the rows that are missing, of all groups in one program. While there is room the whole batch is
 * computed even so: the last bits of a row may depend on how many are computed with it, but not on which,
 * so that a training that goes on from a checkpoint gets those of one that was not stopped.
 */
async function computed(looked: readonly Looked[]): Promise<readonly (readonly Tensor[])[]> {
  const made = looked.map(({ group, store, missing }) => {
    if (missing.length === 0) return [];
    const some = store.isFull ? new SomeRows(missing, group.rows) : undefined;
    return group.members.map(({ tensor, axis }) => some?.of(tensor, axis) ?? tensor);
  });
  await evaluate(...made.flat());
  return made;
}
