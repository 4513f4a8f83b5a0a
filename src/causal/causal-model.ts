import { printsItself } from "../base/inspect.ts";
import { showsInNotebooks } from "../plots/notebook.ts";
import { requireKnownOptions } from "../base/known-options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { counterfactualDataset, type Example, factualDataset } from "./datasets.ts";
import { drawModel } from "./draw-model.ts";
import { encodeSettings, pyveneTensors, type PyveneTensors } from "./encode.ts";
import { EquivalenceClasses } from "./equivalence-classes.ts";
import { partialFilter, pathFilter, pathLengthFilter } from "./filters.ts";
import { liveEdges, livePaths } from "./live-paths.ts";
import {
  type CausalPictureOptions,
  type CounterfactualOptions,
  type FactualOptions,
  PICTURE,
  readDraw,
  type SampleBalancedOptions,
  type SampleInputOptions,
  type SampleInterventionOptions,
} from "./options.ts";
import { readStructure } from "./read-structure.ts";
import { interchange, run, withSources } from "./run.ts";
import { readInterventions, readSampler } from "./samplers.ts";
import { type Draw, sampleBalanced, sampleInput, sampleIntervention } from "./sampling.ts";
import { type Structure, type Values, variableOf } from "./structure.ts";
import type {
  CausalExample,
  CausalModelOptions,
  CausalSetting,
  CausalSources,
  ParentLists,
  VariableName,
} from "./types.ts";

/**
 * A causal model: variables that are computed from others, without a cycle, such as a hypothesis of how
 * a network comes to its answers (Geiger and others, "Causal abstraction", 2023).
 *
 * The compiler knows the variables and their values: those of `values`, `CausalModel<{ A: boolean, ... }>`.
 * Misspelt ones do not compile, nor does a function that does not take its variable's parents.
 *
 * @typeParam V - The value of each variable.
 * @typeParam P - The parents of each variable, for the compiler.
 *
 * @example
 * ```ts
 * import { CausalModel } from "tsvene";
 * const and = new CausalModel({
 *   values: { A: [false, true], B: [false, true], C: [false, true] },
 *   parents: { C: ["A", "B"] },
 *   functions: { C: (a, b) => a && b },
 * });
 * console.log(and.run({ A: true, B: false })); // { A: true, B: false, C: false }
 * // B as it is in another run:
 * const base = { A: true, B: false };
 * console.log(and.interchange(base, { B: { A: false, B: true } }).C); // true
 * ```
 */
export class CausalModel<V extends object, const P extends ParentLists<V> = ParentLists<V>> {
  readonly #structure: Structure;
  readonly #classes: EquivalenceClasses;
  /** All variables, by timestep, and those of one timestep by name. */
  readonly variables: readonly VariableName<V>[];
  /** Variables without parents, by name. */
  readonly inputs: readonly VariableName<V>[];
  /** Variables without children, by name. */
  readonly outputs: readonly VariableName<V>[];
  /** Variables with parents and children, in the order of `variables`. */
  readonly intermediates: readonly VariableName<V>[];
  /** What each variable is computed from, in the order of its function's parameters. */
  readonly parents: { readonly [K in VariableName<V>]: readonly VariableName<V>[] };
  /** What is computed from each variable, by name. */
  readonly children: { readonly [K in VariableName<V>]: readonly VariableName<V>[] };
  /** When each variable is computed: after its parents. */
  readonly timesteps: { readonly [K in VariableName<V>]: number };

  /**
   * @throws TsveneError for a cycle, which it names; for a missing function, or one that takes other
   * values than its parents'; for an unknown parent; for timesteps that do not rise; for a domain that
   * is none.
   */
  constructor(options: CausalModelOptions<V, P>) {
    this.#structure = readStructure(options);
    this.#classes = new EquivalenceClasses(this.#structure);
    const { variables, inputs, outputs } = this.#structure;
    const all = [...variables.values()];
    const inside = all.filter(({ parents, children }) => parents.length > 0 && children.length > 0);
    const table = (entries: [string, unknown][]): unknown =>
      Object.freeze(Object.fromEntries(entries));
    type Names = readonly VariableName<V>[];
    this.variables = Object.freeze([...variables.keys()]) as Names;
    this.inputs = Object.freeze([...inputs]) as Names;
    this.outputs = Object.freeze([...outputs]) as Names;
    this.intermediates = Object.freeze(inside.map(({ name }) => name)) as Names;
    this.parents = table(all.map(({ name, parents }) => [name, parents])) as typeof this.parents;
    this.children = table(
      all.map(({ name, children }) => [name, children]),
    ) as typeof this.children;
    this.timesteps = table(all.map((at) => [at.name, at.timestep])) as typeof this.timesteps;
  }

  /**
   * Computes all variables.
   *
   * @param setting - Values of inputs, and of any other variables: these are then not computed. Inputs
   * that have a default need not be there.
   * @returns The values of all variables, frozen.
   * @throws TsveneError for an unknown variable, a value outside its domain, given or computed, and an
   * input that has neither a value nor a default.
   */
  run(setting?: CausalSetting<V>): Readonly<V> {
    return run(this.#structure, "CausalModel.run", setting ?? {}) as Readonly<V>;
  }

  /**
   * Computes all variables with some fixed at what they are in other runs.
   *
   * @param base - Values of inputs; other variables may be fixed as well.
   * @param sources - By variable, the setting whose run its value is taken from. A source may itself fix
   * variables that are no inputs.
   * @returns The values of all variables, frozen.
   * @throws TsveneError as {@link run} does.
   */
  interchange(base: CausalSetting<V>, sources: CausalSources<V>): Readonly<V> {
    return interchange(this.#structure, "CausalModel.interchange", base, sources) as Readonly<V>;
  }

  /**
   * All settings of a variable's parents that give it a value, in the order of the product of the
   * parents' domains. Found when they are first asked for.
   *
   * @throws TsveneError for an input, a value outside the domain, domains that are no lists, and
   * parents with more than 10,000,000 settings.
   */
  equivalenceClass<K extends VariableName<V>>(variable: K, value: V[K]): CausalSetting<V>[] {
    const op = "CausalModel.equivalenceClass";
    return this.#classes.settings(op, variable, value) as CausalSetting<V>[];
  }

  /**
   * The place of a value in its variable's list of values: a class for a classifier.
   * @throws TsveneError for a variable whose values are not listed, and a value that is none of them.
   */
  valueIndex<K extends VariableName<V>>(variable: K, value: V[K]): number {
    const op = "CausalModel.valueIndex";
    const { domain } = variableOf(this.#structure, op, variable);
    domain.requireList(op, "the place of a value");
    domain.check(op, value, "the call");
    return domain.placeOf(value) ?? -1;
  }

  /**
   * Values of the inputs, each drawn by itself.
   * @throws TsveneError when `mandatory` holds of none of many draws, or a domain cannot be drawn from.
   */
  sampleInput(options: SampleInputOptions<V> = {}): CausalSetting<V> {
    const draw = readDraw("sampleInput", options) as Draw;
    return sampleInput(this.#structure, "CausalModel.sampleInput", draw) as CausalSetting<V>;
  }

  /**
   * Inputs for which a variable has a value, each value as often as any other: one setting of its
   * parents that gives the value is chosen, each as likely as any other, and so on up to the inputs.
   * Inputs that the variable does not depend on are drawn by themselves.
   *
   * Where two ways lead from an input to the variable, both may want another value of it. What does not
   * give the variable its value is drawn again, so that what comes always does.
   *
   * @throws TsveneError for a value that nothing gives, or that none of many draws gave; for several
   * outputs where `variable` does not say which; for domains that neither are lists nor have a preimage.
   */
  sampleBalanced(options: SampleBalancedOptions<V> = {}): CausalSetting<V> {
    const draw = readDraw("sampleBalanced", options) as Draw;
    const op = "CausalModel.sampleBalanced";
    return sampleBalanced(this.#structure, this.#classes, op, draw) as CausalSetting<V>;
  }

  /**
   * Values of some variables that are neither inputs nor outputs: each is among them in half of the
   * draws, but never none.
   * @throws TsveneError for a model without such variables.
   */
  sampleIntervention(options: SampleInterventionOptions<V> = {}): CausalSetting<V> {
    const draw = readDraw("sampleIntervention", options) as Draw;
    const op = "CausalModel.sampleIntervention";
    return sampleIntervention(this.#structure, op, this.intermediates, draw) as CausalSetting<V>;
  }

  /**
   * The edges along which a change would be felt: some value of the parent, put into the setting in its
   * place, changes the child.
   *
   * @returns By parent, its children at live edges.
   * @throws TsveneError where a parent's values are not listed.
   */
  liveEdges(setting: CausalSetting<V>): ReadonlyMap<VariableName<V>, readonly VariableName<V>[]> {
    const live = liveEdges(this.#structure, "CausalModel.liveEdges", setting);
    return live as ReadonlyMap<VariableName<V>, readonly VariableName<V>[]>;
  }

  /**
   * The paths of {@link liveEdges}, from any variable on.
   *
   * @returns By how many variables they have, from 2 on, lists of variables.
   * @throws TsveneError where a parent's values are not listed, or there are more than a million.
   */
  livePaths(setting: CausalSetting<V>): ReadonlyMap<number, VariableName<V>[][]> {
    const paths = livePaths(this.#structure, "CausalModel.livePaths", setting);
    return paths as ReadonlyMap<number, string[][]> as ReadonlyMap<number, VariableName<V>[][]>;
  }

  /**
   * A filter, for `mandatory`: whether some variables have these values.
   */
  partialFilter(wanted: CausalSetting<V>): (total: Readonly<V>) => boolean {
    return partialFilter(this.#structure, "CausalModel.partialFilter", wanted);
  }

  /**
   * A filter, for `mandatory`: whether the longest live path has one of these numbers of variables; 1
   * where nothing is live.
   */
  pathLengthFilter(lengths: readonly number[]): (total: Readonly<V>) => boolean {
    return pathLengthFilter(this.#structure, "CausalModel.pathLengthFilter", lengths);
  }

  /** A filter, for `mandatory`: whether a live path leads from one variable to another. */
  pathFilter(start: VariableName<V>, end: VariableName<V>): (total: Readonly<V>) => boolean {
    return pathFilter(this.#structure, "CausalModel.pathFilter", [start, end]);
  }

  /**
   * Examples without interventions, to learn or test the task itself.
   *
   * @param size - How many.
   * @throws TsveneError when the filter keeps none of many draws, with the share that it kept.
   */
  factualDataset(size: number, options: FactualOptions<V> = {}): CausalExample<V>[] {
    const op = "CausalModel.factualDataset";
    const { sampler = "uniform", filter, generator, tries } = readDraw("factualDataset", options);
    const examples = factualDataset(this.#structure, op, size, {
      sampler: readSampler(this.#structure, this.#classes, op, sampler),
      filter: filter as ((inputs: Values) => boolean) | undefined,
      generator,
      tries,
    });
    return examples as unknown as CausalExample<V>[];
  }

  /**
   * Examples in which some variables are as they are on other inputs, and what the model says then.
   *
   * @param size - How many, exactly.
   * @throws TsveneError when the filter keeps none of many interventions, with the share that it kept,
   * and as the samplers do.
   *
   * @example
   * ```ts
   * import { CausalModel, Generator } from "tsvene";
   * const digits = Array.from({ length: 10 }, (_, digit) => digit);
   * const sums = Array.from({ length: 28 }, (_, sum) => sum);
   * const three = new CausalModel({
   *   values: { a: digits, b: digits, c: digits, ab: sums.slice(0, 19), sum: sums },
   *   parents: { ab: ["a", "b"], sum: ["ab", "c"] },
   *   functions: { ab: (a, b) => a + b, sum: (ab, c) => ab + c },
   * });
   * const [example] = three.counterfactualDataset(100, { generator: new Generator(0) });
   * console.log(example); // { base, sources: { ab: ... }, label: { sum: ... }, ... }
   * ```
   */
  counterfactualDataset(size: number, options: CounterfactualOptions<V> = {}): CausalExample<V>[] {
    const op = "CausalModel.counterfactualDataset";
    const {
      sampler = "balanced",
      filter,
      generator,
      tries,
      ...rest
    } = readDraw("counterfactualDataset", options);
    const sampled = readInterventions(this.#structure, op, rest.interventions, this.intermediates);
    const examples = counterfactualDataset(this.#structure, op, size, {
      sampler: readSampler(this.#structure, this.#classes, op, sampler),
      interventionSampler: rest.interventionSampler ?? sampled,
      filter: filter as ((intervention: Values) => boolean) | undefined,
      blockSize: rest.blockSize ?? 1,
      generator,
      tries,
    });
    return examples as unknown as CausalExample<V>[];
  }

  /**
   * The inputs of a setting as numbers, one input after the other.
   *
   * @returns [numbers] of one setting, [settings, numbers] of a list; float32.
   * @throws TsveneError for a missing input, and for a value that is no number and has no encoder.
   */
  inputToTensor(setting: CausalSetting<V> | readonly CausalSetting<V>[]): Tensor {
    return this.#encode("CausalModel.inputToTensor", this.inputs, setting);
  }

  /**
   * The outputs of a setting as numbers, one output after the other.
   *
   * @returns [numbers] of one setting, [settings, numbers] of a list; float32.
   * @throws TsveneError for a missing output, and for a value that is no number and has no encoder.
   */
  outputToTensor(setting: CausalSetting<V> | readonly CausalSetting<V>[]): Tensor {
    return this.#encode("CausalModel.outputToTensor", this.outputs, setting);
  }

  #encode(op: string, names: readonly string[], setting: object | readonly object[]): Tensor {
    if (Array.isArray(setting)) {
      return encodeSettings(this.#structure, op, names, setting as readonly Values[]);
    }
    return encodeSettings(this.#structure, op, names, [setting as Values]).select(0, 0);
  }

  /**
   * Examples as tensors in the form of pyvene: the sources of an example have no names, stand in the
   * order of the variables without a gap, and are filled up with zeros.
   *
   * @param interventionId - A number of your own for each set of variables.
   */
  pyveneTensors(
    examples: readonly CausalExample<V>[],
    interventionId: (variables: VariableName<V>[]) => number,
  ): PyveneTensors {
    const id = interventionId as (variables: string[]) => number;
    const list = examples as unknown as readonly Example[];
    return pyveneTensors(this.#structure, "CausalModel.pyveneTensors", list, id);
  }

  /**
   * The model as a picture: variables by timestep, inputs at the bottom or on the left. With a setting,
   * values stand beside the names, variables that are intervened on are ringed, and live edges are bold
   * where all values are listed; see {@link liveEdges}.
   *
   * @returns The text of an SVG file, which `saveSvg` and `savePng` take.
   * @throws TsveneError as {@link interchange} does.
   */
  toSvg(options: CausalPictureOptions<V> = {}): string {
    const op = "CausalModel.toSvg";
    requireKnownOptions(op, options, PICTURE);
    const { setting, sources = {}, intervened = [], direction = "up", title } = options;
    const isRun = setting !== undefined || Object.keys(sources).length > 0;
    const fixed = isRun ? withSources(this.#structure, op, setting ?? {}, sources) : undefined;
    const inputs: readonly string[] = this.inputs;
    const ringed = Object.keys(setting ?? {}).filter((name) => !inputs.includes(name));
    for (const name of intervened) variableOf(this.#structure, op, name);
    return drawModel(this.#structure, op, {
      setting: fixed,
      intervened: [...ringed, ...Object.keys(sources), ...intervened],
      direction,
      title,
    });
  }

  /** The variables, each with what it is computed from. */
  toString(): string {
    const lines = this.variables.map((name) => {
      const parents = this.parents[name];
      return parents.length === 0 ? `  ${name}` : `  ${name} <- ${parents.join(", ")}`;
    });
    return ["CausalModel", ...lines].join("\n");
  }
}

printsItself(CausalModel.prototype);
showsInNotebooks(CausalModel.prototype, (one) => one.toSvg());
