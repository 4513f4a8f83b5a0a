import { warn } from "../../base/warn.ts";
import { fail } from "../errors.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import type { Generator } from "../../tensor/random/random.ts";
import { sameShape, show } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { Buffer } from "../buffer.ts";
import { orthogonal } from "../init.ts";
import { Module } from "../module.ts";
import { Parameter } from "../parameter.ts";
import { initialized } from "../without-init.ts";
import { orthogonalState, orthogonalWeight } from "./orthogonal.ts";
import { Turn } from "./turn.ts";

/** Where the map from numbers to matrices starts. */
class Start extends Module {
  /** [size, size], orthogonal */
  readonly base: Buffer;

  constructor(base: Tensor) {
    super();
    this.base = new Buffer(base);
  }

  override forward(): Tensor {
    return this.base.value;
  }
}

/** An orthogonal matrix with the numbers that it is computed from, under torch's names. */
class Parametrized extends Module {
  /** [size, rank], free numbers */
  readonly original: Parameter;
  /** Holds the start of the rotation, as PyTorch names it. */
  readonly 0: Start;

  constructor(size: number, rank: number, generator: Generator | undefined) {
    super();
    this.original = new Parameter(noChange(size, rank));
    const options = generator === undefined ? {} : { generator };
    this[0] = new Start(initialized([size, size], (shape) => orthogonal(shape, options)).value);
  }

  override forward(): Tensor {
    return orthogonalWeight(this.original.value, this[0].forward());
  }
}

/** The parameters that are computed from others, by name. */
class Parametrizations extends Module {
  /** What `weight` is computed from. */
  readonly weight: Parametrized;

  constructor(weight: Parametrized) {
    super();
    this.weight = weight;
  }

  override forward(): Tensor {
    return this.weight.forward();
  }
}

/** A weight, and what it is computed from. */
interface Computed {
  /** The parameter that the weight was computed from. */
  readonly original: Tensor;
  /** The start that the weight was computed from. */
  readonly base: Tensor;
  /** The weight: lazy where it is learned, for gradients to flow through it. */
  readonly weight: Tensor;
}

/**
 * x W for a learned matrix W [size, rank] with orthonormal columns: a rotation, or for a rank below
 * the size the coordinates along some directions. W is random at first. It is torch's
 * `parametrizations.orthogonal`, with the same names in files: the matrix exponential of trained
 * numbers for square matrices, Householder reflections for others.
 *
 * While it is trained, W is computed in every pass, once for all that use it, and a square one not at all where
 * the pass turns few vectors; when its parameters are frozen, once for all passes.
 *
 * @example
 * ```ts
 * import { ones, RotateLayer } from "tsvene";
 * const layer = new RotateLayer(4, 2);
 * console.log(layer.forward(ones([3, 4])).shape); // [3, 2]
 * await layer.setWeight(layer.weight.neg());
 * ```
 */
export class RotateLayer extends Module {
  /** Width of what is rotated: rows of `weight`. */
  readonly size: number;
  /** Number of directions: columns of `weight`. */
  readonly rank: number;
  /** What `weight` is computed from, under the names of PyTorch's parametrizations. */
  readonly parametrizations: Parametrizations;
  #computed: Computed | undefined;
  #turn: Turn | undefined;

  /**
   * @param rank - Columns of W. @default size
   * @throws ModelError for sizes that are not whole numbers of 1 or more, and a rank above the size.
   */
  constructor(
    size: number,
    rank: number = size,
    { generator }: { readonly generator?: Generator } = {},
  ) {
    super();
    if (!Number.isSafeInteger(size) || !Number.isSafeInteger(rank) || rank < 1 || rank > size) {
      fail("RotateLayer", `the rank must be a whole number from 1 to ${size}, got ${rank}`);
    }
    this.size = size;
    this.rank = rank;
    this.parametrizations = new Parametrizations(new Parametrized(size, rank, generator));
  }

  /** W [size, rank]: a function of the trained numbers, through which gradients flow. */
  get weight(): Tensor {
    const { weight } = this.parametrizations;
    const isLearned = weight.original.requiresGrad;
    const [original, base] = [weight.original.value, weight[0].base.value];
    const known = this.#computed;
    if (known?.original === original && known.base === base) {
      // One that was evaluated has no graph any more, which gradients would need.
      if (!isLearned || known.weight.values === undefined) return known.weight;
    }
    if (this.rank < this.size) warnOfLost(original);
    const lazy = weight.forward();
    const made = isLearned ? lazy : new Parameter(lazy, { requiresGrad: false }).value;
    this.#computed = { original, base, weight: made };
    return made;
  }

  /**
   * Makes W this matrix, or where its columns are not orthonormal, one that they span.
   * @param value - [size, rank]
   */
  async setWeight(value: Tensor): Promise<void> {
    const shape = [this.size, this.rank];
    if (!sameShape(value.shape, shape)) {
      fail("RotateLayer.setWeight", `expected ${show(shape)}, got ${show(value.shape)}`);
    }
    const { weight } = this.parametrizations;
    const { base } = await orthogonalState(value.to(weight.original.dtype));
    await evaluate(base);
    weight.original.set(noChange(this.size, this.rank));
    weight[0].base.set(base);
  }

  /** x W, for x [..., size]: [..., rank], in W's element type. */
  override forward(x: Tensor): Tensor {
    return this.turnFor(x)?.along(x) ?? rotated(x, this.weight);
  }

  /** features Wᵀ, for features [..., rank]: [..., size], the way back from {@link forward}. */
  back(features: Tensor): Tensor {
    return this.turnFor(features)?.back(features) ?? rotated(features, this.weight.t());
  }

  /** @internal How so few vectors are turned for less than making W costs, where they are. */
  turnFor(x: Tensor): Turn | undefined {
    const { original, 0: start } = this.parametrizations.weight;
    if (!original.requiresGrad || this.rank < this.size) return undefined;
    if (!this.#turn?.isOf(original.value, start.base.value)) {
      this.#turn = new Turn(original.value, start.base.value);
    }
    return this.#turn.isQuickFor(x.numel / this.size) ? this.#turn : undefined;
  }

  override describe(): string {
    return this.rank === this.size ? String(this.size) : `${this.size}, ${this.rank}`;
  }
}

/**
 * Says that directions are zero: torch cuts the numbers on the diagonal, which are their signs, to whole
 * ones, and weight decay makes them less than 1.
 */
function warnOfLost({ values, shape: [, rank = 0] }: Tensor): void {
  if (values === undefined) return;
  let lost = 0;
  for (let i = 0; i < rank; i++) if (Math.abs(Number(values[i * rank + i])) < 1) lost++;
  if (lost === 0) return;
  warn(
    "RotateLayer",
    `${lost} of ${rank} directions are zero, as in PyTorch, where the signs on the diagonal of ` +
      "parametrizations.weight.original are below 1; train them without weight decay",
  );
}

/** x W, in W's element type. */
export function rotated(x: Tensor, weight: Tensor): Tensor {
  return x.to(weight.dtype).matmul(weight);
}

/** Numbers that mean the start itself: -1 on the diagonal, where torch puts its signs. */
function noChange(size: number, rank: number): Tensor {
  const values = new Float32Array(size * rank);
  for (let i = 0; i < rank; i++) values[i * rank + i] = -1;
  return Tensor.fromData(values, [size, rank]);
}
