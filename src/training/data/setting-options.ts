import type { OptionNames } from "../../base/known-options.ts";
import type { UnitLocations } from "../../intervenable/units/locations.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { PAIRS_OPTIONS, type PairsOptions } from "./pair-examples.ts";

/** Values of some variables. */
export type Setting = Readonly<Record<string, unknown>>;

/**
 * What is needed of a causal model: a {@link CausalModel}, or an object of your own that names the inputs.
 */
export interface SettingModel {
  /** Variables that settings give, in the order in which they are encoded. */
  readonly inputs: readonly string[];
  /** Variables that labels give. */
  readonly outputs?: readonly string[];
  /** Settings as numbers, [settings, numbers]. @default numbers, booleans and lists of them in a row */
  inputToTensor?(settings: readonly Setting[]): Tensor;
  /** Number of a value in its variable's list of values, from 0. */
  valueIndex?(variable: string, value: unknown): number;
}

/**
 * How settings become what a model reads: `"floats"`, all numbers in a row, [batch, numbers]; `"ids"`, one
 * token for each input, int64 [batch, inputs], which is a value's own whole number, or else its number in
 * its variable's list; `{ oneHot: n }`, the same with n places for each input, [batch, inputs x n]; or a
 * function that makes the model's inputs of a list of settings. A list of examples is encoded once, but by
 * a function afresh for each batch.
 */
export type SettingEncoding<Inputs> =
  "floats" | "ids" | { readonly oneHot: number } | ((settings: readonly Setting[]) => Inputs);

/**
 * What of a label the model should say: an output variable's value, as its own whole number, 0 or 1 of
 * false and true, or else its number in its variable's list; or a function that gives a number, or numbers
 * for a loss of your own.
 */
export type SettingLabel = string | ((label: Setting) => number | boolean | readonly number[]);

/** How settings become counterfactual data. */
export interface SettingPairsOptions<Inputs = Tensor> extends PairsOptions {
  /** How settings become tensors. @default "floats" */
  readonly encode?: SettingEncoding<Inputs>;
  /**
   * Name of the model's argument that the tensor is, such as "inputsEmbeds" or "inputIds"; or a function
   * that makes the model's inputs of it, such as `(x) => ({ inputsEmbeds: x.unsqueeze(1) })`.
   * @default the tensor itself is what `forward` takes
   */
  readonly input?: string | ((encoded: Tensor) => Inputs);
  /** What labels are. @default the value of the only output */
  readonly label?: SettingLabel;
  /** Which units are read and edited, the same in all rows. @default whole tensors */
  readonly unitLocations?: UnitLocations;
  /** Where the answer is predicted, by models with several positions. @default the last position */
  readonly labelPosition?: number;
}

/** Their names. */
export const SETTING_OPTIONS: OptionNames<SettingPairsOptions> = {
  ...PAIRS_OPTIONS,
  encode: true,
  input: true,
  label: true,
  unitLocations: true,
  labelPosition: true,
};
