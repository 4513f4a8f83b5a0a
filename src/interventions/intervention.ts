import { Buffer } from "../nn/buffer.ts";
import { Module } from "../nn/module.ts";
import { fail } from "../tensor/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expandPartition, type SubspacePartition } from "./subspaces.ts";

/** How an intervention uses a source: it must have one, may have one, or takes none. */
export type SourceUse = "required" | "optional" | "none";

/** What an intervention is built from. A configuration gives all of these to the class it names. */
export interface InterventionOptions {
  /** Width of what it works on. @default known from the first tensor */
  readonly embedDim?: number | undefined;
  /** How many leading dimensions are changed, or which ones. @default all */
  readonly interchangeDim?: number | readonly number[] | undefined;
  /** Named groups of dimensions, which `subspaces` then means; see {@link SubspacePartition}. */
  readonly subspacePartition?: SubspacePartition | undefined;
  /** A constant in place of a source: [width], or the shape of what it works on. */
  readonly sourceRepresentation?: Tensor | undefined;
  /** Keep units apart where the class would concatenate them. @default false */
  readonly keepLastDim?: boolean | undefined;
  readonly lowRankDimension?: number | undefined;
  readonly latentDim?: number | undefined;
}

/** What an intervention is told beside base and source. */
export interface InterventionContext {
  /**
   * What the caller passed for this intervention: which dimensions to change, as `Subspaces`,
   * for the classes of this library; anything for one's own.
   */
  readonly subspaces?: unknown;
  /** Arguments of the module at whose site it works. */
  readonly args?: readonly unknown[];
  /** What the caller passed as `extra`. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** A result with the latent that it was computed through, such as an autoencoder's code. */
export interface InterventionOutput {
  readonly output: Tensor;
  readonly latent?: Tensor;
}

/** A class that a configuration can build interventions from. */
export type InterventionClass = new (options: InterventionOptions) => Intervention;

/**
 * A change of a representation: a pure function of base, source and subspaces, with parameters where
 * it is trained. It sees the units that were selected, [batch, units, width] (or
 * [batch, heads, positions, headDim]), and returns what stands there instead.
 *
 * @example
 * ```ts
 * import { Intervention, type Tensor } from "tsvene";
 * class Halve extends Intervention {
 *   override readonly sourceUse = "none";
 *   override forward(base: Tensor): Tensor {
 *     return base.mul(0.5);
 *   }
 * }
 * ```
 */
export abstract class Intervention extends Module {
  /** Whether a source is needed; one given as `sourceRepresentation` counts. */
  readonly sourceUse: SourceUse = "required";
  /** Whether its result is handed out instead of put back, so that the model goes on unchanged. */
  readonly collects: boolean = false;
  /** Whether its parameters are to be learned. */
  readonly trainable: boolean = false;
  /** Whether it sees the units of a row concatenated, [batch, units x width]. */
  readonly concatenatesUnits: boolean = false;
  /** Where the source is read: at the site itself, or at the input of the site's module. */
  readonly sourceSite: "same" | "input" = "same";

  readonly embedDim: number | undefined;
  readonly interchangeDim: number | readonly number[] | undefined;
  readonly subspacePartition: readonly (readonly number[])[] | undefined;
  readonly keepLastDim: boolean;
  /** The constant in place of a source. */
  readonly sourceRepresentation: Buffer | undefined;

  /**
   * @throws TensorError for dimensions that are not whole numbers and for a malformed partition.
   */
  constructor(options: InterventionOptions = {}) {
    super();
    const { embedDim, interchangeDim, subspacePartition, sourceRepresentation } = options;
    checkDimension(this.constructor.name, "embedDim", embedDim, 1);
    for (const dim of [interchangeDim].flat()) {
      checkDimension(this.constructor.name, "interchangeDim", dim, 0);
    }
    this.embedDim = embedDim;
    this.interchangeDim = interchangeDim ?? embedDim;
    this.subspacePartition =
      subspacePartition && expandPartition(this.constructor.name, subspacePartition);
    this.keepLastDim = options.keepLastDim ?? false;
    this.sourceRepresentation = sourceRepresentation && new Buffer(sourceRepresentation);
  }

  /**
   * @param base - What stands at the selected units.
   * @param source - What stands at the source's units; `undefined` where there is no source.
   * @returns What takes the place of `base`, of its shape; `undefined` to leave it.
   */
  abstract override forward(
    base: Tensor,
    source?: Tensor,
    context?: InterventionContext,
  ): Tensor | InterventionOutput | undefined;

  /** The constant of this intervention, or the source given. */
  protected sourceOf(source: Tensor | undefined): Tensor {
    const found = this.sourceRepresentation?.value ?? source;
    if (found !== undefined) return found;
    return fail(this.constructor.name, "no source given, and it has no sourceRepresentation");
  }

  override describe(): string {
    const parts = [
      this.embedDim === undefined ? [] : [`embedDim=${this.embedDim}`],
      this.interchangeDim === undefined || this.interchangeDim === this.embedDim
        ? []
        : [`interchangeDim=${String(this.interchangeDim)}`],
      this.subspacePartition === undefined ? [] : [`parts=${this.subspacePartition.length}`],
      this.sourceRepresentation === undefined ? [] : ["constant source"],
    ];
    return parts.flat().join(", ");
  }
}

function checkDimension(op: string, name: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return;
  fail(op, `${name} must be a whole number of ${least} or more, got ${value}`);
}
