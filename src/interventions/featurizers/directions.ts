import type { OptionNames } from "../../base/known-options.ts";
import { Buffer } from "../../nn/buffer.ts";
import { RotateLayer } from "../../nn/parametrizations/rotate-layer.ts";
import type { Generator } from "../../tensor/random/random.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { fail } from "../errors.ts";
import type { ParameterKind } from "../intervention.ts";
import { Featurizer, type FeaturizerOptions, requireWidth, widthIn } from "./featurizer.ts";
import { layerOf } from "./rotation.ts";
import { alongDirections, fromDirections } from "./turning.ts";

/** What a {@link DirectionsFeaturizer} is built from: one of `rank`, `directions` and `weight`. */
export interface DirectionsOptions extends FeaturizerOptions {
  /** How many directions are learned, at most the width; they are random at first. */
  readonly rank?: number | undefined;
  /** Directions that stay as they are, evaluated: orthonormal columns [width, rank], or one unit vector. */
  readonly directions?: Tensor | undefined;
  /**
   * Orthonormal columns [width, rank], or some for each row of the batch, [batch, width, rank], as they
   * are: such as those that a network computes in the same pass. They are not kept in files. Of free numbers,
   * `orthogonalWeight(free, undefined, { map: "matrixExp" })` makes them; its reflections take the signs of
   * columns from the diagonal, and make nothing of columns where that is below 1.
   */
  readonly weight?: Tensor | undefined;
}

/**
 * Coordinates along a few directions, h W with orthonormal columns W: learned ones (low-rank
 * distributed alignment search), given ones such as {@link meanDifference} finds, or computed ones. What
 * is at right angles to them is kept as the error term.
 *
 * @example
 * ```ts
 * import { DirectionsFeaturizer, randn, tensor } from "tsvene";
 * const up = new DirectionsFeaturizer({ directions: tensor([0, 1, 0]) });
 * const { features, error } = up.featurize(tensor([[5, 7, 9]]));
 * console.log(await features.toArray(), await error?.toArray()); // [[7]], [[5, 0, 9]]
 * console.log(new DirectionsFeaturizer({ width: 8, rank: 2 }).encode(randn([4, 8])).shape); // [4, 2]
 * ```
 */
export class DirectionsFeaturizer extends Featurizer {
  static override readonly optionNames: OptionNames<DirectionsOptions> = {
    ...Featurizer.optionNames,
    rank: true,
    directions: true,
    weight: true,
  };
  readonly width: number;
  readonly count: number;
  override readonly keepsError: boolean = true;
  override readonly linear: boolean = true;
  /** The directions that are trained; undefined where some were given. */
  readonly rotate_layer: RotateLayer | undefined;
  /** The directions that stay, [width, rank]; undefined for others. */
  readonly directions: Buffer | undefined;
  override readonly parameterKind: ParameterKind = "rotation";
  override readonly isComputed: boolean;
  readonly #given: Tensor | undefined;

  /** @throws InterventionError for directions that are not orthonormal, and two kinds of them. */
  constructor(options: DirectionsOptions) {
    super(options);
    const { rank, directions, weight } = options;
    if ([rank, directions, weight].filter((given) => given !== undefined).length !== 1) {
      fail(OP, "give one of rank (how many are learned), directions (fixed) and weight (computed)");
    }
    this.directions = directions && new Buffer(orthonormal(directions));
    this.isComputed = weight !== undefined;
    this.#given = weight ?? this.directions?.value;
    const [width, count] = this.#given === undefined ? [] : sidesOf(this.#given);
    this.width = width === undefined ? widthIn(OP, options) : requireWidth(OP, options, width);
    this.count = count ?? rank ?? 0;
    this.rotate_layer =
      this.#given === undefined ? new RotateLayer(this.width, this.count) : undefined;
  }

  /** W: orthonormal columns [width, rank], or some for each row. */
  get weight(): Tensor {
    return this.directions?.value ?? this.#given ?? layerOf(this).weight;
  }

  override redraw(generator: Generator): void {
    const { weight } = new RotateLayer(this.width, this.count, { generator });
    this.directions?.set(weight.detach());
  }

  override get columns(): Tensor | undefined {
    return this.weight.ndim === 2 ? this.weight : undefined;
  }

  /** h W */
  override encode(h: Tensor): Tensor {
    return alongDirections(h, this.weight);
  }

  /** features Wᵀ */
  override decode(features: Tensor): Tensor {
    return fromDirections(features, this.weight);
  }
}

const OP = "DirectionsFeaturizer";
/** How far products of directions may be from 0 and 1. */
const TOLERANCE = 1e-3;

function sidesOf({ ndim, shape }: Tensor): readonly [width: number, count: number] {
  const [width, count] = shape.slice(-2);
  if ((ndim === 2 || ndim === 3) && width !== undefined && count !== undefined) {
    return [width, count];
  }
  return fail(OP, `weight must be [width, rank] or [batch, width, rank], got ${show(shape)}`);
}

/** Directions as columns. @throws InterventionError where they are not orthonormal. */
function orthonormal(directions: Tensor): Tensor {
  const { ndim, shape, values } = directions;
  if (ndim < 1 || ndim > 2) {
    fail(OP, `directions must be [width] or [width, rank], got ${show(shape)}`);
  }
  if (values === undefined) {
    fail(OP, "directions are not evaluated; await evaluate(directions) first, or pass weight");
  }
  const columns = ndim === 1 ? 1 : (shape[1] ?? 1);
  const product = (a: number, b: number): number => {
    let sum = 0;
    for (let row = 0; row < values.length; row += columns) {
      sum += Number(values[row + a]) * Number(values[row + b]);
    }
    return sum;
  };
  for (let a = 0; a < columns; a++) {
    for (let b = 0; b <= a; b++) {
      const found = product(a, b);
      if (Math.abs(found - (a === b ? 1 : 0)) > TOLERANCE) refuseSkew(a, b, found);
    }
  }
  return directions.reshape([-1, columns]);
}

function refuseSkew(a: number, b: number, found: number): never {
  const what =
    a === b
      ? `direction ${a} has length ${Math.sqrt(found).toPrecision(4)}, not 1`
      : `directions ${b} and ${a} are not at right angles, their product is ${found.toPrecision(4)}`;
  fail(OP, `${what}; divide a direction by its length, and take the q of linalg.qr for several`);
}
