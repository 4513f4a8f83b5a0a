import { constant } from "../../tensor/arithmetic.ts";
import { fail } from "../../tensor/errors.ts";
import { cat } from "../../tensor/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Module } from "../../nn/module.ts";
import { type RopeFrequencies, ropeFrequencies } from "./rope-frequencies.ts";
import type { RopeParameters } from "./rope-parameters.ts";

/** Cosines and sines of each position's angles, [1 or batch, 1, sequence, dim] each. */
export interface Rotation {
  readonly cos: Tensor;
  /** With the sign that it has in {@link rotate}: negative in the first half. */
  readonly sin: Tensor;
}

/** Angles of positions, which queries and keys are rotated by. */
export class RotaryEmbedding extends Module {
  readonly #frequencies: RopeFrequencies;

  /** @param headDim - Width of a head, of which `partialRotaryFactor` may leave a part as it is. */
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

  /** @param positions - [1 or batch, sequence] */
  override forward(positions: Tensor): Rotation {
    const { at, scale } = this.#frequencies;
    const angles = positions.to("float32").unsqueeze(1).unsqueeze(-1).mul(at(positions));
    const scaled = (t: Tensor): Tensor => (scale === 1 ? t : t.mul(constant(scale)));
    const [cos, sin] = [scaled(angles.cos()), scaled(angles.sin())];
    return { cos: cat([cos, cos], -1), sin: cat([sin.neg(), sin], -1) };
  }
}

/** x [batch, heads, sequence, headDim] with its first values rotated, the i-th with the (dim/2 + i)-th. */
export function rotate(x: Tensor, { cos, sin }: Rotation): Tensor {
  const [dim, width] = [cos.size(-1), x.size(-1)];
  const turned = dim === width ? x : x.slice(-1, 0, dim);
  const swapped = cat([turned.slice(-1, dim / 2), turned.slice(-1, 0, dim / 2)], -1);
  const rotated = turned.mul(cos).add(swapped.mul(sin));
  return dim === width ? rotated : cat([rotated, x.slice(-1, dim)], -1);
}
