import type { OptionNames } from "../../base/known-options.ts";
import { RotateLayer } from "../../nn/parametrizations/rotate-layer.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { fail } from "../errors.ts";
import type { ParameterKind } from "../intervention.ts";
import { Featurizer, type FeaturizerOptions, requireWidth, widthIn } from "./featurizer.ts";
import { alongDirections, fromDirections } from "./turning.ts";

/** What a {@link RotationFeaturizer} is built from. */
export interface RotationOptions extends FeaturizerOptions {
  /**
   * The rotation, [width, width] or one for each row of the batch, [batch, width, width], as it is:
   * such as one that a network computes in the same pass. It is not kept in files.
   * @default a random one that is learned
   */
  readonly weight?: Tensor | undefined;
}

/**
 * Coordinates of a learned rotation, h W with W orthogonal (distributed alignment search: Geiger and
 * others, 2023). Loses nothing.
 *
 * @example
 * ```ts
 * import { randn, RotationFeaturizer } from "tsvene";
 * const rotation = new RotationFeaturizer({ width: 8 });
 * const h = randn([2, 8]);
 * const { features } = rotation.featurize(h);
 * console.log(await rotation.inverse(features).sub(h).abs().amax().item()); // nearly 0
 * ```
 */
export class RotationFeaturizer extends Featurizer {
  static override readonly optionNames: OptionNames<RotationOptions> = {
    ...Featurizer.optionNames,
    weight: true,
  };
  readonly width: number;
  readonly count: number;
  /** The rotation, which is trained; undefined where one was given. */
  readonly rotate_layer: RotateLayer | undefined;
  override readonly parameterKind: ParameterKind = "rotation";
  override readonly isComputed: boolean;
  readonly #given: Tensor | undefined;

  constructor(options: RotationOptions) {
    super(options);
    const { weight } = options;
    this.isComputed = weight !== undefined;
    this.#given = weight;
    this.width = this.count =
      weight === undefined
        ? widthIn("RotationFeaturizer", options)
        : requireWidth("RotationFeaturizer", options, sideOf(weight));
    this.rotate_layer = weight === undefined ? new RotateLayer(this.width) : undefined;
  }

  /** W, orthogonal: [width, width], or one for each row. */
  get weight(): Tensor {
    return this.#given ?? layerOf(this).weight;
  }

  /** What is given need not be orthogonal to the last bit, nor do its gradients know that it is. */
  override get columns(): Tensor | undefined {
    return this.rotate_layer?.weight;
  }

  override turnsWithout(h: Tensor): boolean {
    return this.rotate_layer?.turnFor(h) !== undefined;
  }

  /** h W */
  override encode(h: Tensor): Tensor {
    return this.rotate_layer?.forward(h) ?? alongDirections(h, this.weight);
  }

  /** features Wᵀ */
  override decode(features: Tensor): Tensor {
    return this.rotate_layer?.back(features) ?? fromDirections(features, this.weight);
  }
}

/** The rotation that a featuriser learns. */
export function layerOf({ rotate_layer }: { rotate_layer: RotateLayer | undefined }): RotateLayer {
  return rotate_layer ?? fail("Featurizer", "its directions were given, so that none are learned");
}

function sideOf({ ndim, shape }: Tensor): number {
  const [rows, columns] = shape.slice(-2);
  if ((ndim === 2 || ndim === 3) && rows !== undefined && rows === columns) return rows;
  return fail(
    "RotationFeaturizer",
    `weight must be [width, width] or [batch, width, width], got ${show(shape)}; of fewer directions ` +
      "than dimensions, make a DirectionsFeaturizer",
  );
}
