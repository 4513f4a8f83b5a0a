import { constantLike, where } from "../../tensor/functions/arithmetic.ts";
import { fail } from "../../tensor/errors.ts";
import { type Generator, rand } from "../../tensor/random/random.ts";
import type { Shape } from "../../tensor/shape.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Options of the dropouts. */
export interface DropoutOptions {
  /** Values pass unchanged when false. @default true */
  readonly training?: boolean;
  /** Where the random numbers come from. @default the generator that `manualSeed` sets */
  readonly generator?: Generator;
}

/** Sets each element to 0 with probability p, and divides the rest by 1 - p. @default p 0.5 */
export function dropout(x: Tensor, p = 0.5, options: DropoutOptions = {}): Tensor {
  return drop("dropout", x, p, x.shape, options);
}

/** As dropout, but for whole channels: x [batch, channels, ...]. @default p 0.5 */
export function channelDropout(x: Tensor, p = 0.5, options: DropoutOptions = {}): Tensor {
  if (x.ndim < 2) {
    fail("channelDropout", `expected [batch, channels, ...], got ${show(x.shape)}`);
  }
  const mask = x.shape.map((n, i) => (i < 2 ? n : 1));
  return drop("channelDropout", x, p, mask, options);
}

function drop(op: string, x: Tensor, p: number, mask: Shape, options: DropoutOptions): Tensor {
  if (!(p >= 0 && p <= 1)) fail(op, `p must lie in [0, 1], got ${p}`);
  if (p === 0 || options.training === false) return x;
  const zero = constantLike(0, x);
  if (p === 1) return x.mul(zero);
  const { generator } = options;
  const kept = rand(mask, generator === undefined ? {} : { generator }).ge(p);
  return where(kept, x.div(1 - p), zero);
}
