import type { OptionNames } from "../../base/known-options.ts";
import { activationFunction } from "../../models/settings/activations.ts";
import { Dropout } from "../../nn/layers/dropout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { fail } from "../errors.ts";
import {
  Intervention,
  type InterventionContext,
  type InterventionOptions,
  type SourceUse,
  unitWidthOf,
} from "../intervention.ts";

/** What interventions that finetune a representation are built from. */
export interface ReftOptions extends InterventionOptions {
  /** In how many directions a representation is changed, at most the width. */
  readonly lowRankDimension: number;
  /** Share of the result's numbers that training sets to 0 at random, as pyreft does. @default 0 */
  readonly dropout?: number | undefined;
  /** What is applied to what is learned of the representation, by Hugging Face's name. @default "linear" */
  readonly actFn?: string | undefined;
}

/** Widths of what a class learns. */
export interface ReftSizes {
  /** Of a unit. */
  readonly width: number;
  /** How many directions. */
  readonly rank: number;
}

/**
 * Interventions that learn a change of each unit's representation, h + a few directions, without a source
 * (representation finetuning: Wu and others, "ReFT", 2024). Classes and parameters have pyreft's names, and
 * its files load; parameters are float32 here, where pyreft keeps some in bfloat16.
 *
 * Each unit is changed by itself, so that any number of them can be chosen.
 */
export abstract class ReftIntervention extends Intervention {
  static override readonly optionNames: OptionNames<ReftOptions> = {
    ...Intervention.optionNames,
    lowRankDimension: true,
    dropout: true,
    actFn: true,
  };
  override readonly sourceUse: SourceUse = "none";
  override readonly trainable: boolean = true;
  override readonly parameterKinds: Intervention["parameterKinds"] = { rotate_layer: "rotation" };
  /** Zeroes numbers of the result at random, in training mode. */
  readonly dropout: Dropout;
  /** What is applied to what is learned of the representation. */
  protected readonly activation: (x: Tensor) => Tensor;
  /** Widths of what is learned. */
  protected readonly sizes: ReftSizes;

  /** @throws InterventionError without `lowRankDimension`, and for one above the width. */
  constructor(options: ReftOptions) {
    const { name } = new.target;
    const width = unitWidthOf(name, options);
    super({ ...options, embedDim: width });
    const { lowRankDimension: rank, dropout = 0, actFn = "linear" } = options;
    if (!Number.isSafeInteger(rank) || rank < 1 || rank > width) {
      fail(name, `lowRankDimension must be a whole number from 1 to the width ${width}, got ${String(rank)}`); // prettier-ignore
    }
    if (!(dropout >= 0 && dropout < 1)) {
      fail(name, `dropout must be a number from 0 to below 1, got ${String(dropout)}`);
    }
    this.sizes = { width, rank };
    this.dropout = new Dropout(dropout);
    this.activation = activationFunction(actFn);
  }

  /** What is added to a representation: [..., width] to [..., width]. */
  protected abstract change(base: Tensor): Tensor;

  override forward(base: Tensor, _source?: Tensor, context: InterventionContext = {}): Tensor {
    const { subspaces } = context;
    if (subspaces !== undefined && subspaces !== null) {
      fail(
        this.constructor.name,
        "it changes all of its directions, so it takes no subspaces; pass null",
      );
    }
    return this.dropout.forward(base.add(this.change(base)).to(base.dtype));
  }
}
