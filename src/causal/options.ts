import { type OptionNames, requireKnownOptions } from "../base/known-options.ts";
import { defaultGenerator, type Generator } from "../tensor/random/generator.ts";
import type { CausalSetting, CausalSources, VariableName } from "./types.ts";

/** How values are drawn. */
export interface DrawOptions {
  /** @default the one that `manualSeed` restarts */
  readonly generator?: Generator;
  /** Draws that may fail one after the other before it is an error. @default 10,000 */
  readonly tries?: number;
}

/** How inputs are drawn. */
export interface SampleInputOptions<V> extends DrawOptions {
  /** What must hold of the values of all variables. Inputs are drawn until it does. @default anything */
  readonly mandatory?: (total: Readonly<V>) => boolean;
}

/** Which values inputs should give. */
export interface SampleBalancedOptions<V> extends SampleInputOptions<V> {
  /** The variable that is balanced. @default the only output */
  readonly variable?: VariableName<V>;
  /** The value that it has. @default one drawn from its domain */
  readonly value?: V[VariableName<V>];
}

/** How interventions are drawn. */
export interface SampleInterventionOptions<V> extends DrawOptions {
  /** What must hold of the intervention. @default anything */
  readonly mandatory?: (intervention: CausalSetting<V>) => boolean;
}

/** What is asked of whoever draws inputs: any, or those that give a variable a value. */
export interface SampleRequest<V> {
  /** What to draw from. */
  readonly generator: Generator;
  /** The variable that the source is for; none for a base. */
  readonly variable?: VariableName<V>;
  /** The value that the source should give it. Labels are right whatever it gives. */
  readonly value?: V[VariableName<V>];
}

/**
 * Who draws inputs: `"uniform"`, each by itself, whatever is asked for; `"balanced"`, those that give the
 * value that is asked for, and as bases each value of the only output as often as any other; or a
 * function.
 */
export type CausalSampler<V> =
  "uniform" | "balanced" | ((request: SampleRequest<V>) => CausalSetting<V>);

/** How examples are drawn. */
export interface FactualOptions<V> extends DrawOptions {
  /** @default "uniform" */
  readonly sampler?: CausalSampler<V>;
  /** Which inputs are kept. @default all */
  readonly filter?: (inputs: CausalSetting<V>) => boolean;
}

/** How examples with interventions are drawn. */
export interface CounterfactualOptions<V> extends DrawOptions {
  /** Who draws bases and sources. @default "balanced" */
  readonly sampler?: CausalSampler<V>;
  /**
   * The sets of variables that are intervened on, each as often as any other.
   * @default each variable between inputs and outputs with probability ½, but never none
   */
  readonly interventions?: readonly (readonly VariableName<V>[])[];
  /**
   * Draws variables to intervene on, and the values that their sources should give; in place of
   * `interventions`.
   */
  readonly interventionSampler?: (generator: Generator) => CausalSetting<V>;
  /** Which interventions are kept. @default all */
  readonly filter?: (intervention: CausalSetting<V>) => boolean;
  /**
   * How many examples in a row have one intervention, values included, as a batch of pyvene's does.
   * @default 1
   */
  readonly blockSize?: number;
}

/** What a picture of a causal model shows. */
export interface CausalPictureOptions<V> {
  /**
   * Values to run and to write beside the names. Variables that are no inputs and have a value here are
   * intervened on.
   * @default names only
   */
  readonly setting?: CausalSetting<V>;
  /** As in `interchange`: variables that are intervened on, and where their values are from. */
  readonly sources?: CausalSources<V>;
  /** More variables that are ringed. @default none */
  readonly intervened?: readonly VariableName<V>[];
  /** Where time goes: inputs are at the bottom, or on the left. @default "up" */
  readonly direction?: "up" | "right";
  /** Text above. @default none */
  readonly title?: string;
}

/** Their names. */
export const PICTURE: OptionNames<CausalPictureOptions<object>> = {
  setting: true,
  sources: true,
  intervened: true,
  direction: true,
  title: true,
};

const DRAW: OptionNames<DrawOptions> = { generator: true, tries: true };
const INPUT: OptionNames<SampleInputOptions<object>> = { ...DRAW, mandatory: true };

/** What each way to draw takes. */
interface Options {
  readonly sampleInput: SampleInputOptions<object>;
  readonly sampleBalanced: SampleBalancedOptions<object>;
  readonly sampleIntervention: SampleInterventionOptions<object>;
  readonly factualDataset: FactualOptions<object>;
  readonly counterfactualDataset: CounterfactualOptions<object>;
}

const KNOWN: { readonly [K in keyof Options]: OptionNames<Options[K]> } = {
  sampleInput: INPUT,
  sampleBalanced: { ...INPUT, variable: true, value: true },
  sampleIntervention: INPUT,
  factualDataset: { ...DRAW, sampler: true, filter: true },
  counterfactualDataset: {
    ...DRAW,
    sampler: true,
    interventions: true,
    interventionSampler: true,
    filter: true,
    blockSize: true,
  },
};

/** Options with a generator, the default one where none was given. */
export type WithGenerator<T> = T & { readonly generator: Generator };

/** @throws TsveneError for options that are none, or an unknown one. */
export function readDraw<T extends DrawOptions>(
  method: keyof Options,
  options: T,
): WithGenerator<T> {
  requireKnownOptions(`CausalModel.${method}`, options, KNOWN[method]);
  return { ...options, generator: options.generator ?? defaultGenerator() };
}
