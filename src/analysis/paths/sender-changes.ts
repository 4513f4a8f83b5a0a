import { cat } from "../../tensor/functions/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { TracedNorm } from "../residual/graph-reading.ts";

/** Some senders that stand one after the other, and by how much each write of theirs may be changed. */
interface SenderBlock {
  /** The number of the first of them. */
  readonly start: number;
  /** [rows, senders, position, width] */
  readonly changes: Tensor;
}

/** The heads of an attention whose output is normed before it is added. */
interface NormedBlock extends SenderBlock {
  readonly norm: TracedNorm;
  /** What the attention added. */
  readonly added: Tensor;
}

/** Receivers that stand one after the other. */
export interface ReceiverRange {
  /** The number of the first of them. */
  readonly start: number;
  readonly count: number;
}

/**
 * What senders have written so far in a run, by how much it may be changed, and what these changes come to in
 * what a receiver reads.
 */
export class SenderChanges {
  /** [sets, receivers, senders] */
  readonly #weights: Tensor;
  /** Numbers of senders, and their changes one after the other. */
  #plain: readonly SenderBlock[] = [];
  readonly #normed: NormedBlock[] = [];
  #count = 0;

  /** @param weights - How much of each change reaches which receiver, [sets, senders, receivers]. */
  constructor(weights: Tensor) {
    this.#weights = weights.transpose(1, 2);
  }

  /** The next senders, which add what they write: [rows, senders, position, width]. */
  add(changes: Tensor): void {
    const start = this.#count;
    this.#count += changes.size(1);
    this.#plain = joined([...this.#plain, { start, changes }]);
  }

  /** The next senders, whose sum is normed before it is added. */
  addNormed(changes: Tensor, norm: TracedNorm, added: Tensor): void {
    this.#normed.push({ start: this.#count, changes, norm, added });
    this.#count += changes.size(1);
  }

  /** What each of some receivers reads where all else is in this state, [rows, receivers, position, width]. */
  read({ start, count }: ReceiverRange, state: Tensor): Tensor {
    const weights = this.#weights.slice(1, start, start + count);
    const plain = this.#plain.map((block) => weighted(weights, block));
    const normed = this.#normed.map((block) => {
      const of = weighted(weights, block).add(block.norm.of.unsqueeze(1));
      return block.norm.forward(of).sub(block.added.unsqueeze(1));
    });
    return [...plain, ...normed].reduce((sum, change) => sum.add(change), state.unsqueeze(1));
  }
}

/** Blocks with no gap between them are one. */
function joined(blocks: readonly SenderBlock[]): readonly SenderBlock[] {
  const [last, before, ...others] = blocks.toReversed();
  if (last === undefined || before === undefined) return blocks;
  if (before.start + before.changes.size(1) !== last.start) return blocks;
  const changes = cat([before.changes, last.changes], 1);
  return [...others.toReversed(), { start: before.start, changes }];
}

/** The sums of changes by weights, [sets, receivers, all senders]: [rows, receivers, position, width]. */
function weighted(weights: Tensor, { start, changes }: SenderBlock): Tensor {
  const [rows = 1, senders = 1, ...state] = changes.shape;
  const [sets = 1, receivers = 1] = weights.shape;
  const own = weights.slice(2, start, start + senders).unsqueeze(1);
  const flat = changes.reshape([sets, rows / sets, senders, -1]);
  return own.matmul(flat).reshape([rows, receivers, ...state]);
}
