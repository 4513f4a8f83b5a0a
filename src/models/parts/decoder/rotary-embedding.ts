import { apply } from "../../../tensor/ops/apply.ts";
import { constant } from "../../../tensor/functions/arithmetic.ts";
import { fail } from "../../../nn/errors.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { Module } from "../../../nn/module.ts";
import { type RopeFrequencies, ropeFrequencies } from "./rope-frequencies.ts";
import type { RopeParameters } from "./rope-parameters.ts";
import type { Changes } from "./text-lengths.ts";

/** Cosines and sines of each position's angles, [1 or batch, sequence, pairs] each. */
export interface Rotation {
  /** Cosines, [batch, sequence, pairs]. */
  readonly cos: Tensor;
  /** Sines, [batch, sequence, pairs]. */
  readonly sin: Tensor;
}

/** Angles of positions, which queries and keys are rotated by. */
export class RotaryEmbedding extends Module {
  readonly #frequencies: RopeFrequencies;

  /** @param sizes.headDim - Width of a head, of which `partialRotaryFactor` may leave a part as it is. */
  constructor(
    rope: RopeParameters,
    sizes: { readonly headDim: number; readonly maxPositionEmbeddings: number },
  ) {
    super();
    const dim = Math.trunc(sizes.headDim * (rope.partialRotaryFactor ?? 1));
    if (dim < 2 || dim % 2 !== 0) {
      fail(
        "RotaryEmbedding",
        `rotates pairs of values, but ${dim} of each head's ${sizes.headDim} are to be rotated`,
      );
    }
    const { maxPositionEmbeddings } = sizes;
    this.#frequencies = ropeFrequencies(rope, { dim, maxPositionEmbeddings });
  }

  /** Whether texts of two lengths are rotated differently; undefined where none are. */
  get changes(): Changes | undefined {
    return this.#frequencies.changes;
  }

  /**
   * Cosines and sines of the angles at each position.
   * @param positions - [1 or batch, sequence]
   * @param attentionMask - [batch, past + sequence]: padding adds nothing to the length of a text.
   */
  override forward(positions: Tensor, attentionMask?: Tensor): Rotation {
    const { at, scale, changes } = this.#frequencies;
    const counted =
      changes === undefined || attentionMask === undefined
        ? positions
        : positions.mul(attentionMask.slice(1, -positions.size(1)).to("bool").to("int64"));
    const angles = positions.to("float32").unsqueeze(-1).mul(at(counted));
    const scaled = (t: Tensor): Tensor => (scale === 1 ? t : t.mul(constant(scale)));
    return { cos: scaled(angles.cos()), sin: scaled(angles.sin()) };
  }
}

/** x [batch, heads, sequence, headDim] with its first values rotated, the i-th with the (pairs + i)-th. */
export function rotate(x: Tensor, { cos, sin }: Rotation): Tensor {
  const [batch, pairs] = [x.size(0), cos.size(-1)];
  const of = (t: Tensor): Tensor => (t.size(0) === batch ? t : t.expand([batch, t.size(1), pairs]));
  return apply("rotate", [x, of(cos), of(sin)], { pairs });
}
