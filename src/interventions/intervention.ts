import { requireTensors } from "../tensor/require-tensors.ts";
import { Buffer } from "../nn/buffer.ts";
import { Module } from "../nn/module.ts";
import { fail, InterventionError } from "./errors.ts";
import type { Generator } from "../tensor/random/random.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { OptionNames } from "../base/known-options.ts";
import { ConfiguredIntervention, requireOptionsOf } from "./configured-intervention.ts";
import { describeOptions } from "./describe-options.ts";
import { interventionName } from "./names.ts";
import type { SwapOptions } from "./swap.ts";
import { expandPartition, type SubspacePartition } from "./subspaces.ts";

/** How an intervention uses a source: it must have one, may have one, or takes none. */
export type SourceUse = "required" | "optional" | "none";

/**
 * Kinds of parameters, for learning rates: rotations and directions, how many dimensions are swapped,
 * shares of each dimension, and all others.
 */
export type ParameterKind = "rotation" | "boundary" | "mask" | "others";

/** What every intervention can be built from. A configuration adds the widths where they are known. */
export interface InterventionOptions {
  /**
   * Width of what it works on: of one unit, times the units that are taken together. Classes with
   * parameters need it. @default known from the first tensor
   */
  readonly embedDim?: number | undefined;
  /** Width of one unit, for classes that see units apart. @default embedDim */
  readonly unitDim?: number | undefined;
  /** How many leading dimensions are changed, or which ones. @default all */
  readonly interchangeDim?: number | readonly number[] | undefined;
  /** Named groups of dimensions, which `subspaces` then means; see {@link SubspacePartition}. */
  readonly subspacePartition?: SubspacePartition | undefined;
  /** A constant in place of a source: [width], or the shape of what it works on. */
  readonly sourceRepresentation?: Tensor | undefined;
  /** Keep units apart where the class would concatenate them. @default false */
  readonly keepLastDim?: boolean | undefined;
}

/** What an intervention is told beside base and source. */
export interface InterventionContext {
  /**
   * What the caller passed for this intervention: which dimensions to change, as `Subspaces`,
   * for the classes of this library; anything for your own classes.
   */
  readonly subspaces?: unknown;
  /** Arguments of the module at whose site it works. */
  readonly args?: readonly unknown[];
  /**
   * For interventions with {@link Intervention.readsOwnRun}: what is at the place that the representation has as
   * `source`, in the run that is edited and at the same units.
   */
  readonly read?: Tensor;
  /** What the caller passed as `extra`. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /**
   * Where rows have different numbers of units: which ones are units, bool [batch, ...units, 1]. The
   * others fill up rows, and what is returned for them is dropped.
   */
  readonly unitMask?: Tensor;
  /**
   * Whether what is learned to some degree, such as a mask, is to be taken as decided: a dimension is
   * swapped whole or not at all; see {@link Intervention.decisions}. @default false
   */
  readonly hard?: boolean;
}

/** A result with the latent that it was computed through, such as an autoencoder's code. */
export interface InterventionOutput {
  /** What takes the place of the base, of its shape. */
  readonly output: Tensor;
  /** What the call hands out as the intervention's latent, such as a code. */
  readonly latent?: Tensor;
}

/**
 * A class of interventions. One that needs no options beside those that all have can be named in a
 * configuration as it is; others take theirs with {@link Intervention.with}.
 */
export interface InterventionClass<Options = InterventionOptions> {
  new (options: Options): Intervention;
  /** Name of the class. */
  readonly name: string;
  /** Names of all options that the constructor takes, as keys. */
  readonly optionNames: object;
}

/** A class of interventions with whatever options. */
export type AnyInterventionClass = InterventionClass<never>;

/**
 * A change of a representation: a pure function of base, source and subspaces, with parameters where
 * it is trained. It sees the units that were selected, [batch, units, width] (or
 * [batch, heads, positions, headDim]), and returns their replacement.
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
  /**
   * Names of all options that the constructor takes: others are refused. A class with options of its
   * own lists them beside those of the class that it extends.
   */
  static readonly optionNames: OptionNames<InterventionOptions> = {
    embedDim: true,
    unitDim: true,
    interchangeDim: true,
    subspacePartition: true,
    sourceRepresentation: true,
    keepLastDim: true,
  };

  /**
   * The class with options for its constructor, as a configuration takes it. Each place gets an
   * intervention of its own, and widths that the model knows need not be said.
   *
   * @throws InterventionError for an option that the class does not have.
   *
   * @example
   * ```ts
   * import { IntervenableConfig, NoiseIntervention } from "tsvene";
   * const config = new IntervenableConfig({
   *   component: "block_input",
   *   intervention: NoiseIntervention.with({ noiseLevel: 0.2, seed: 7 }),
   * });
   * console.log(String(config));
   * ```
   */
  static with<Class extends AnyInterventionClass>(
    this: Class,
    options: NonNullable<ConstructorParameters<Class>[0]>,
  ): ConfiguredIntervention {
    return new ConfiguredIntervention(this, options);
  }

  /** The class by name, as JSON has it; see {@link registerIntervention}. */
  static toJSON(this: AnyInterventionClass): string {
    return interventionName(this);
  }

  /**
   * @internal All that the constructor of this class was given, by whoever called it.
   */
  static optionsOf(intervention: Intervention): InterventionOptions {
    return intervention.#options;
  }

  /** Whether a source is needed; one given as `sourceRepresentation` counts. */
  readonly sourceUse: SourceUse = "required";
  /** Whether its result is handed out instead of put back, so that the model goes on unchanged. */
  readonly collects: boolean = false;
  /** Whether its parameters are to be learned. */
  readonly trainable: boolean = false;
  /** Whether it sees the units of a row concatenated, [batch, units x width]. */
  readonly concatenatesUnits: boolean = false;
  /** Whether it does the same in every basis of the representation. */
  readonly basisAgnostic: boolean = false;
  /** Whether its parameters are meant to serve several places, as linked interventions do. */
  readonly sharedWeights: boolean = false;
  /** How many of its {@link shares} stay between 0 and 1 whatever is learned. */
  readonly undecidable: number = 0;
  /**
   * What learning rates by kind call its parameters, such as `"rotation"`, by the name of the property that
   * they are in.
   */
  readonly parameterKinds: Readonly<Record<string, ParameterKind>> = {};
  /** How its temperature falls while it is trained, unless a training says otherwise. */
  readonly annealing: { readonly from: number; readonly to: number } | undefined = undefined;
  /**
   * Whether it also reads the run that it edits, at the place that its representation has as `source`, where a
   * source is read too: it gets that as `context.read`.
   */
  readonly readsOwnRun: boolean = false;
  /** Where the source is read: at the site itself, or at the input of the site's module. */
  readonly sourceSite: "same" | "input" = "same";

  /** Groups of dimensions that `subspaces` names by number; undefined without any. */
  readonly subspacePartition: readonly (readonly number[])[] | undefined;
  /** Whether units stay apart where the class would concatenate them. */
  readonly keepLastDim: boolean;
  /** Softness of a mask; not learned, see {@link setTemperature}. */
  readonly temperature: Buffer | undefined = undefined;
  // What files hold has the names that it has there.
  /** `embedDim` as int64, 0-d, under pyvene's name; undefined where it is not known. */
  readonly embed_dim: Buffer | undefined;
  /** `interchangeDim` as int64: a count, 0-d, or a list of dimensions. */
  interchange_dim: Buffer | undefined;
  /** The constant in place of a source, under pyvene's name. */
  readonly source_representation: Buffer | undefined;
  /** All that the constructor was given. */
  readonly #options: InterventionOptions;

  /**
   * @throws InterventionError for options that the class does not have, dimensions that are not whole numbers
   * and a malformed partition.
   */
  constructor(options: InterventionOptions = {}) {
    super();
    requireOptionsOf(new.target, options);
    this.#options = options;
    const { embedDim, interchangeDim, subspacePartition, sourceRepresentation } = options;
    checkDimension(this.constructor.name, "embedDim", embedDim, 1);
    this.embed_dim = embedDim === undefined ? undefined : dimensions(embedDim);
    this.interchange_dim = undefined;
    const changed = interchangeDim ?? embedDim;
    if (changed !== undefined) this.setInterchangeDim(changed);
    this.subspacePartition =
      subspacePartition && expandPartition(this.constructor.name, subspacePartition);
    this.keepLastDim = options.keepLastDim ?? false;
    this.source_representation = sourceRepresentation && new Buffer(sourceRepresentation);
  }

  /** Width of what it works on, where it is known. */
  get embedDim(): number | undefined {
    const dim = this.embed_dim && numbersIn(this.constructor.name, this.embed_dim);
    return dim?.[0];
  }

  /** How many leading dimensions are changed, or which ones; undefined for all. */
  get interchangeDim(): number | readonly number[] | undefined {
    if (this.interchange_dim === undefined) return undefined;
    const dims = numbersIn(this.constructor.name, this.interchange_dim);
    return this.interchange_dim.value.ndim === 0 ? dims[0] : dims;
  }

  /** The constant in place of a source. */
  get sourceRepresentation(): Buffer | undefined {
    return this.source_representation;
  }

  /**
   * Says which dimensions are changed where a call names no subspaces: the first so many, or those
   * of a list. For classes that work in other coordinates, those count.
   * @throws InterventionError for what is not made of whole numbers of 0 or more.
   */
  setInterchangeDim(dims: number | readonly number[]): void {
    for (const dim of [dims].flat()) {
      checkDimension(this.constructor.name, "interchangeDim", dim, 0);
    }
    this.interchange_dim = dimensions(dims);
  }

  /**
   * How much of the source each dimension gets, from 0 to 1: [width]. For classes that learn it, which
   * also have {@link decisions}.
   */
  shares?(): Tensor;

  /**
   * The dimensions that are swapped once the shares are decided: 1 for those, 0 for others, [width]. A call
   * with `hard` takes these in place of {@link shares}.
   */
  decisions?(): Tensor;

  /** The share of the dimensions that is swapped, from 0 to 1, for classes that learn it: [1]. */
  boundary?(): Tensor;

  /**
   * Takes the size of another of its class, and what is left open by that at random: as many dimensions,
   * but others. Called for one that has just been made, to compare with what was learned. Classes
   * whose size is an option need none.
   */
  takeSize?(from: this, generator: Generator): void;

  /**
   * Sets the softness of the mask. It is data: another temperature compiles nothing.
   * @throws InterventionError for what is not a positive number, and where there is no temperature.
   */
  setTemperature(temperature: number): void {
    const { name } = this.constructor;
    if (this.temperature === undefined) fail(name, "it has no temperature");
    if (!(temperature > 0 && temperature < Infinity)) {
      fail(name, `the temperature must be a positive number, got ${String(temperature)}`);
    }
    this.temperature.set(Tensor.fromData(Float32Array.of(temperature), []));
  }

  /**
   * @param base - The selected units of the base.
   * @param source - The selected units of the source; `undefined` where there is no source.
   * @returns The replacement of `base`, of its shape; `undefined` to leave it.
   */
  abstract override forward(
    base: Tensor,
    source?: Tensor,
    context?: InterventionContext,
  ): Tensor | InterventionOutput | undefined;

  /** @internal Refuses a base that is no tensor. */
  protected override checkInputs(base: unknown): void {
    requireTensors(this.constructor.name, base);
  }

  /** Which dimensions a call with these subspaces changes. */
  protected dimensionsOf({ subspaces }: InterventionContext = {}): SwapOptions {
    const { embedDim, interchangeDim, subspacePartition } = this;
    return { embedDim, interchangeDim, subspacePartition, subspaces };
  }

  /** The constant of this intervention, or the source given. */
  protected sourceOf(source: Tensor | undefined): Tensor {
    const found = this.source_representation?.value ?? source;
    if (found !== undefined) return found;
    return fail(this.constructor.name, "no source given, and it has no sourceRepresentation");
  }

  /**
   * Always an error: what it has learned would be left out of JSON without a word.
   * @throws InterventionError
   */
  toJSON(): never {
    const { name } = this.constructor;
    fail(
      name,
      `JSON cannot say an instance with its parameters; name the class in the configuration, as in ` +
        `intervention: ${name}, or ${name}.with({ ... }), and keep parameters with stateDict()`,
    );
  }

  /** What it was made with, and its temperature, as far as they say more than its class does. */
  override describe(): string {
    const { embedDim, interchangeDim, temperature } = this;
    const { unitDim, keepLastDim = false, ...options } = this.#options;
    const softness = temperature?.value.values?.[0];
    return describeOptions({
      ...options,
      embedDim,
      unitDim: unitDim === embedDim ? undefined : unitDim,
      interchangeDim: interchangeDim === embedDim ? undefined : interchangeDim,
      keepLastDim: keepLastDim || undefined,
      temperature: softness === undefined ? undefined : Number(softness),
    });
  }
}

/** No width was given to a class that needs one; see {@link widthOf}. */
export class UnknownWidthError extends InterventionError {}

/**
 * `embedDim`, for the constructor of a class whose parameters are as wide as what it works on: of one
 * unit, times `maxNumberOfUnits`. Where a configuration names the class and nothing says how wide its
 * place is, it is built when the model is first traced, which says it.
 *
 * @param op - Name of the class, for the message.
 * @throws UnknownWidthError where it is not known.
 *
 * @example
 * ```ts
 * import { type InterventionOptions, Parameter, type Tensor } from "tsvene";
 * import { TrainableIntervention, widthOf, zeros } from "tsvene";
 * class Shift extends TrainableIntervention {
 *   override readonly sourceUse = "none";
 *   readonly shift: Parameter;
 *   constructor(options: InterventionOptions) {
 *     super(options);
 *     this.shift = new Parameter(zeros([widthOf("Shift", options)]));
 *   }
 *   override forward(base: Tensor): Tensor {
 *     return base.add(this.shift.value);
 *   }
 * }
 * console.log(new Shift({ embedDim: 8 }).shift.shape);
 * ```
 */
export function widthOf(op: string, { embedDim }: InterventionOptions = {}): number {
  if (embedDim !== undefined) return embedDim;
  throw new UnknownWidthError(
    `${op}: embedDim, the width of what it works on, is not known; give it: ` +
      `new ${op}({ embedDim: 768, ... })`,
  );
}

/**
 * As {@link widthOf}, the width of one unit, for classes that see units apart.
 *
 * @throws UnknownWidthError where it is not known.
 */
export function unitWidthOf(op: string, { unitDim, embedDim }: InterventionOptions): number {
  return widthOf(op, { embedDim: unitDim ?? embedDim });
}

function checkDimension(op: string, name: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return;
  fail(op, `${name} must be a whole number of ${least} or more, got ${value}`);
}

function dimensions(dims: number | readonly number[]): Buffer {
  const shape = typeof dims === "number" ? [] : [dims.length];
  return new Buffer(Tensor.fromData(BigInt64Array.from([dims].flat(), BigInt), shape));
}

function numbersIn(op: string, { value }: Buffer): readonly number[] {
  if (value.values !== undefined) return Array.from(value.values, Number);
  return fail(op, "its dimensions were loaded from a tensor that is not evaluated; evaluate it");
}
