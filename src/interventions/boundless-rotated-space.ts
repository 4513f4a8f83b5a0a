import { Buffer } from "../nn/buffer.ts";
import { Parameter } from "../nn/parameter.ts";
import type { RotateLayer } from "../nn/parametrizations/rotate-layer.ts";
import { constant } from "../tensor/functions/arithmetic.ts";
import { fail } from "./errors.ts";
import { Tensor } from "../tensor/tensor.ts";
import { layerOf, RotationFeaturizer } from "./featurizers/rotation.ts";
import { type Intervention, type InterventionOptions, widthOf } from "./intervention.ts";
import { type Annealing, MaskedIntervention, softness, temperatureOf } from "./masked.ts";

const INITIAL = { boundary: 0.5, temperature: 50 } as const;
const LEAST_BOUNDARY = 1e-3;

/**
 * Swaps the first dimensions of a learned rotation, where it is learned how many (Wu and others,
 * "Interpretability at scale", 2023). Of `width` dimensions, number i gets the share
 * m = σ(i / T) σ((c width - i) / T) of the source, with the boundary c clamped to [0.001, 1]. As the
 * temperature T falls, m becomes 0 or 1 (1/2 for number 0).
 *
 * Decided, it swaps the dimensions before c width, and none where the boundary has been trained to 0 or
 * below, which training does to a boundary that is wrong: read the clamped one, `boundary()`.
 *
 * Add the sum of `intervention_boundaries` to a loss to keep the space small, and
 * lower the temperature while training, from 50 at first to 0.1 or so. It sees the units of a row
 * concatenated, so it takes exactly `maxNumberOfUnits` of them.
 */
export class BoundlessRotatedSpaceIntervention extends MaskedIntervention {
  override readonly concatenatesUnits: boolean = true;
  /** The rotation, an orthogonal matrix [width, width], which is trained. */
  readonly rotate_layer: RotateLayer;
  override readonly temperature: Buffer;
  /** Number 0 never gets more than half. */
  override readonly undecidable: number = 1;
  override readonly parameterKinds: Intervention["parameterKinds"] = {
    rotate_layer: "rotation",
    intervention_boundaries: "boundary",
  };
  override readonly annealing: Annealing = { from: INITIAL.temperature, to: 0.1 };
  /** Share of the dimensions that are swapped, [1]. */
  readonly intervention_boundaries: Parameter;
  /** 0, 1, ..., width - 1 */
  readonly intervention_population: Buffer;
  readonly #featurizer: RotationFeaturizer;

  constructor(options: InterventionOptions) {
    super(options);
    const width = widthOf("BoundlessRotatedSpaceIntervention", options);
    this.#featurizer = new RotationFeaturizer({ width });
    this.rotate_layer = layerOf(this.#featurizer);
    this.intervention_boundaries = new Parameter(numbers(INITIAL.boundary));
    this.temperature = temperatureOf(INITIAL.temperature);
    const population = BigInt64Array.from({ length: width }, (_, i) => BigInt(i));
    this.intervention_population = new Buffer(Tensor.fromData(population, [width]));
  }

  /** Says how large a share of the dimensions is swapped, from 0 to 1. */
  setInterventionBoundaries(boundary: number): void {
    if (!Number.isFinite(boundary)) {
      fail("setInterventionBoundaries", `expected a number, got ${String(boundary)}`);
    }
    this.intervention_boundaries.set(numbers(boundary));
  }

  override featurizerFor(): RotationFeaturizer {
    return this.#featurizer;
  }

  override shares(): Tensor {
    const soft = softness(this.temperature);
    const place = this.#places();
    const left = this.#clamped().mul(constant(this.rotate_layer.size)).sub(place);
    return place.div(soft).sigmoid().mul(left.div(soft).sigmoid());
  }

  /** Those before the boundary; none where it went to 0 or below. */
  override decisions(): Tensor {
    const end = this.intervention_boundaries.value.mul(constant(this.rotate_layer.size));
    return this.#places().lt(end).to("float32");
  }

  /**
   * The clamped boundary, [1]. Above 1 it still has a gradient, unlike the shares: a penalty brings a
   * boundary back that early steps, when all is soft, moved beyond all dimensions.
   */
  override boundary(): Tensor {
    const over = this.intervention_boundaries.value.clamp({ min: constant(1) });
    return this.#clamped().add(over.sub(over.detach()));
  }

  override takeSize({ intervention_boundaries: boundary }: this): void {
    this.intervention_boundaries.set(boundary.value);
  }

  #clamped(): Tensor {
    const least = constant(LEAST_BOUNDARY);
    return this.intervention_boundaries.value.clamp({ min: least, max: constant(1) });
  }

  #places(): Tensor {
    return this.intervention_population.value.to("float32");
  }
}

function numbers(...values: readonly number[]): Tensor {
  return Tensor.fromData(Float32Array.from(values), [values.length]);
}
