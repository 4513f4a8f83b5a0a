import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { requireKnownOptions } from "../../base/known-options.ts";
import { rowsOf, valuesOf } from "../../runtime/program/row-values.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { AlignmentBatch, AlignmentData, AlignmentExample } from "./alignment-data.ts";
import { type Encoder, encoderOf, type LabelReader, labelReader } from "./encode-settings.ts";
import type { ExampleSource } from "./example-source.ts";
import { type Numbered, PairExamples } from "./pair-examples.ts";
import {
  type Setting,
  SETTING_OPTIONS,
  type SettingModel,
  type SettingPairsOptions,
} from "./setting-options.ts";

const OP = "settingPairs";

/** An example of settings; a label is a setting of outputs, or an output's value. */
export type SettingExample = AlignmentExample<object>;

/**
 * Counterfactual data of a causal model's settings, encoded as numbers, tokens or however a model reads
 * them.
 *
 * @param model - A {@link CausalModel}, or an object that names the inputs in their order.
 * @param examples - Those of its `counterfactualDataset`, or your own; a list, or what makes examples when
 * they are asked for, as {@link drawnExamples}.
 * @throws TsveneError for values that have no number, and labels of which it is not clear what is predicted.
 *
 * @example
 * ```ts
 * import { settingPairs } from "tsvene";
 * const examples = [
 *   { base: { a: 1, b: 2 }, sources: { sum: { a: 3, b: 4 } }, label: { total: 7 } },
 *   { base: { a: 0, b: 5 }, sources: { sum: { a: 2, b: 2 } }, label: { total: 4 } },
 * ];
 * const data = settingPairs({ inputs: ["a", "b"] }, examples, { encode: "ids" });
 * const { base, labels } = data.batch([0, 1]);
 * console.log(await base.toArray(), await labels.toArray()); // [[1, 2], [0, 5]] and [7, 4]
 * ```
 */
export function settingPairs<Inputs = Tensor>(
  model: SettingModel,
  examples: ExampleSource<SettingExample>,
  options: SettingPairsOptions<Inputs> = {},
): AlignmentData<Inputs> {
  requireKnownOptions(OP, options, SETTING_OPTIONS);
  if (!Array.isArray((model as Partial<SettingModel> | undefined)?.inputs)) {
    fail(OP, `first a causal model, or { inputs: [names] }, got ${describeValue(model)}`);
  }
  return new SettingPairs(model, examples, options);
}

class SettingPairs<Inputs> implements AlignmentData<Inputs> {
  readonly #pairs: PairExamples<SettingExample>;
  readonly #encoder: Encoder;
  readonly #label: LabelReader;
  readonly #options: SettingPairsOptions<Inputs>;
  /** The settings of a list, encoded, by variable: those of its sources; under undefined those of the bases. */
  readonly #kept: ReadonlyMap<Of, Tensor>;

  constructor(
    model: SettingModel,
    examples: ExampleSource<SettingExample>,
    options: SettingPairsOptions<Inputs>,
  ) {
    const { encode, input, label, labelPosition } = options;
    if (labelPosition !== undefined && !Number.isSafeInteger(labelPosition)) {
      fail(OP, `labelPosition must be a whole number, got ${shown(labelPosition)}`);
    }
    this.#pairs = new PairExamples(OP, examples, options);
    this.#encoder = encoderOf(model, encode, input);
    this.#label = labelReader(model, label);
    this.#options = options;
    this.#kept = this.#encodedList();
  }

  get length(): number {
    return this.#pairs.length;
  }

  variables(index: number): readonly string[] {
    return this.#pairs.variablesOf(index);
  }

  key(index: number): string {
    return this.#pairs.keyOf(index);
  }

  batch(indices: readonly number[]): AlignmentBatch<Inputs> {
    const { examples, rows } = this.#pairs.take(indices);
    const { unitLocations, subspaces, labelPosition } = this.#options;
    const baseLabels = this.#labels(examples, "baseLabel", ({ baseLabel }) => baseLabel);
    const sourceLabels = this.#sourceLabels(examples);
    return {
      indices: [...indices],
      base: this.#inputs(examples, undefined),
      sources: Object.fromEntries(
        this.#pairs.variables.map((name) => [name, this.#inputs(examples, name)]),
      ),
      ...(rows && { rows }),
      ...(unitLocations && { unitLocations }),
      ...(subspaces === undefined ? {} : { subspaces }),
      labels: this.#labels(examples, "label", ({ label }) => label) as Tensor,
      ...(baseLabels && { baseLabels }),
      ...(sourceLabels && { sourceLabels }),
      ...(labelPosition === undefined ? {} : { labelPositions: indices.map(() => labelPosition) }),
    };
  }

  #inputs(examples: readonly Numbered<SettingExample>[], of: Of): Inputs {
    const { encode, asInputs } = this.#encoder;
    const kept = this.#kept.get(of);
    const encoded =
      kept === undefined
        ? encode(examples.map(({ example }) => settingOf(example, of)))
        : rowsIn(kept, examples.map(({ index }) => index)); // prettier-ignore
    return asInputs(encoded) as Inputs;
  }

  /** A list is encoded once, where the rows do not depend on which others are encoded with them. */
  #encodedList(): ReadonlyMap<Of, Tensor> {
    const { list, variables } = this.#pairs;
    const { encode, isByRow } = this.#encoder;
    if (list === undefined || !isByRow) return new Map();
    const encoded = [undefined, ...variables].map((of) => {
      const rows = encode(list.map((example) => settingOf(example, of))) as Tensor;
      if (rows.shape[0] === list.length) return [of, rows] as const;
      return fail(OP, `inputToTensor gave [${rows.shape.join(", ")}] of ${list.length} settings`);
    });
    // A model's own encoder may leave them to be computed.
    return new Map(encoded.filter(([, { values }]) => values !== undefined));
  }

  #sourceLabels(examples: readonly Numbered<SettingExample>[]): Record<string, Tensor> | undefined {
    const entries = this.#pairs.variables.flatMap((name) => {
      const has = examples.some(({ example }) => example.sourceLabels?.[name] !== undefined);
      const made = has
        ? this.#labels(examples, `sourceLabels.${name}`, (example) =>
            example.sources[name] === undefined
              ? (example.baseLabel ?? example.label)
              : example.sourceLabels?.[name],
          )
        : undefined;
      return made === undefined ? [] : [[name, made] as const];
    });
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }

  /** Labels that all of the examples have; undefined where none has. */
  #labels(
    examples: readonly Numbered<SettingExample>[],
    name: string,
    of: (example: SettingExample) => unknown,
  ): Tensor | undefined {
    const labels = examples.map(({ example }) => of(example));
    const missing = labels.indexOf(undefined);
    if (missing >= 0 && labels.every((label) => label === undefined)) return undefined;
    if (missing >= 0) {
      const { index } = examples[missing] ?? {};
      fail(OP, `example ${index} has no ${name}, but others have; give all of them, or none`);
    }
    return labelTensor(
      labels.map((label, i) => this.#label(label, `example ${examples[i]?.index}: ${name}`)),
    );
  }
}

/** Whose settings: a variable's sources, or the bases. */
type Of = string | undefined;

/** The base stands in the place of a source that is absent. */
function settingOf({ base, sources }: SettingExample, of: Of): Setting {
  return ((of === undefined ? base : sources[of]) ?? base) as Setting;
}

/** Some rows of an encoded list: a copy. */
function rowsIn(kept: Tensor, rows: readonly number[]): Tensor {
  const { dtype, shape } = kept;
  return tensor(rowsOf(valuesOf(kept), kept, 0, { rows }), {
    dtype,
    shape: [rows.length, ...shape.slice(1)],
  });
}

/** Numbers of classes, int64 [batch], or lists of numbers, float32 [batch, numbers]. */
function labelTensor(labels: readonly (number | readonly number[])[]): Tensor {
  const isClass = labels.every((label) => typeof label === "number");
  return tensor(labels as number[], { dtype: isClass ? "int64" : "float32" });
}
