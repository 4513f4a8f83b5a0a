import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { didYouMean } from "../../base/nearest.ts";
import { requireOneOf } from "../../base/known-options.ts";
import type { AlignmentExample } from "./alignment-data.ts";
import type { ExampleSource } from "./example-source.ts";

/** What all kinds of counterfactual data can be told. */
export interface PairsOptions {
  /**
   * Names of all variables that examples have sources for. Say them where examples are made when they
   * are asked for.
   * @default those of the examples in a list; of others, those of the first example
   */
  readonly variables?: readonly string[];
  /**
   * Whether one batch may have examples that intervene on different variables. `"homogeneous"` data
   * refuses such a batch; a {@link DataLoader} with `groupBy: "variables"` makes others.
   * @default "mixed"
   */
  readonly mode?: "mixed" | "homogeneous";
  /** Which dimensions are changed, as `forward` takes them. @default all */
  readonly subspaces?: unknown;
}

/** Their names. */
export const PAIRS_OPTIONS = { variables: true, mode: true, subspaces: true } as const;

/** An example of a batch, with its number. */
export interface Numbered<Example> {
  readonly index: number;
  readonly example: Example;
}

/** Examples whose variables are known, and which are looked at before they are used. */
export class PairExamples<Example extends AlignmentExample> {
  /** Names of all variables that examples have sources for. */
  readonly variables: readonly string[];
  /** The examples, where they are a list; undefined where each is made when it is asked for. */
  readonly list: readonly Example[] | undefined;
  /** Whether some example may have no source of some variable. */
  readonly #isPartial: boolean;
  readonly #op: string;
  readonly #examples: ExampleSource<Example>;
  readonly #mode: "mixed" | "homogeneous";

  constructor(op: string, examples: ExampleSource<Example>, options: PairsOptions) {
    const { mode = "mixed" } = options;
    requireOneOf(op, "mode", mode, ["mixed", "homogeneous"]);
    requireSource(op, examples);
    this.#op = op;
    this.#examples = examples;
    this.#mode = mode;
    const list = Array.isArray(examples) ? examples.map((_, i) => this.#example(i)) : undefined;
    const looked = (list ?? [this.#example(0)]).flatMap(({ sources }) => Object.keys(sources));
    this.variables = options.variables ?? [...new Set(looked)];
    list?.forEach((_, i) => this.#checked(i));
    this.list = list;
    this.#isPartial =
      list === undefined
        ? this.variables.length > 1
        : list.some(({ sources }) => this.variables.some((name) => !has(sources, name)));
  }

  /** Number of examples. */
  get length(): number {
    return this.#examples.length;
  }

  /** @throws TsveneError for a number that no example has, and for what is no example. */
  at(index: number): Example {
    // Those of a list were looked at before.
    return this.list?.[index] ?? this.#checked(index);
  }

  #checked(index: number): Example {
    const example = this.#example(index);
    for (const name of Object.keys(example.sources)) {
      if (this.variables.includes(name)) continue;
      fail(
        this.#op,
        `example ${index} has a source of ${name}, which is none of the variables ` +
          `${this.variables.join(", ")}; ${didYouMean(name, this.variables)}; say all in { variables: [...] }`,
      );
    }
    return example;
  }

  /** The examples of a batch, and by variable which of them are intervened on. */
  take(indices: readonly number[]): {
    readonly examples: readonly Numbered<Example>[];
    readonly rows?: Readonly<Record<string, readonly boolean[]>>;
  } {
    if (!Array.isArray(indices) || indices.length === 0) {
      fail(this.#op, `a batch takes numbers of examples, got ${describeValue(indices)}`);
    }
    const examples = indices.map((index: number) => ({ index, example: this.at(index) }));
    if (this.#mode === "homogeneous") this.#refuseMixed(examples);
    if (!this.#isPartial) return { examples };
    const rows = this.variables.map(
      (name) => [name, examples.map(({ example }) => has(example.sources, name))] as const,
    );
    return { examples, rows: Object.fromEntries(rows) };
  }

  /** Names of the variables that an example intervenes on, in the order of {@link variables}. */
  variablesOf(index: number): readonly string[] {
    const { sources } = this.at(index);
    return this.variables.filter((name) => has(sources, name));
  }

  /** Base and sources as text: the same for equal pairs only. */
  keyOf(index: number): string {
    const { base, sources } = this.at(index);
    return JSON.stringify([base, sources], sorted);
  }

  #refuseMixed(examples: readonly Numbered<Example>[]): void {
    const [first, ...others] = examples.map(({ index }) => this.variablesOf(index).join(", "));
    const odd = others.findIndex((names) => names !== first) + 1;
    if (odd === 0) return;
    const said = [examples[0], examples[odd]].map(
      (one, i) =>
        `example ${one?.index} intervenes on ${(i === 0 ? first : others[odd - 1]) || "nothing"}`,
    );
    fail(
      this.#op,
      `${said.join(", ")}: homogeneous data has batches of one set of variables; make batches with ` +
        'new DataLoader(data, { groupBy: "variables" }), or data with { mode: "mixed" }',
    );
  }

  #example(index: number): Example {
    const example: unknown = isCount(index) ? this.#examples.at(index) : undefined;
    if (example === undefined) {
      fail(this.#op, `there is no example ${index}; there are ${this.#examples.length}, from 0`);
    }
    const { base, sources, label } = Object(example) as Partial<AlignmentExample>;
    const missing = Object.entries({ base, sources, label }).find(([, part]) => part === undefined);
    if (missing !== undefined) {
      fail(
        this.#op,
        `example ${index} has no ${missing[0]}; write { base, sources: { variable: source }, label }`,
      );
    }
    if (typeof sources !== "object" || sources === null || Array.isArray(sources)) {
      fail(
        this.#op,
        `example ${index}: sources are by variable, { variable: source }, got ${describeValue(sources)}`,
      );
    }
    return example as Example;
  }
}

function has(sources: Readonly<Record<string, unknown>>, name: string): boolean {
  return sources[name] !== undefined;
}

function requireSource(op: string, examples: unknown): void {
  const { length, at } = Object(examples) as Partial<ExampleSource<unknown>>;
  if (!isCount(length) || typeof at !== "function" || typeof examples === "string") {
    fail(
      op,
      `expected examples, a list of { base, sources, label }, got ${describeValue(examples)}`,
    );
  }
  if (length === 0) fail(op, "there are no examples");
}

/** Objects with their keys in order. */
function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.sort(([a], [b]) => Number(a > b) - Number(a < b)));
}
