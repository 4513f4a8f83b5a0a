import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import type { Module } from "../../nn/module.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import type { ContrastMetricChoice } from "../metrics/contrast-metric.ts";
import { EdgeRuns } from "../paths/edge-runs.ts";
import type { PatchingOptions, PatchSource } from "../paths/patching.ts";
import { Circuit } from "./circuit.ts";

/** What circuits are run with: plain data, where the metric is named. */
export interface CircuitMeasure {
  /** What edges outside a circuit carry. @default "counterpart" */
  readonly source?: PatchSource;
  /** What is measured. @default "logitDifference" */
  readonly metric?: ContrastMetricChoice;
}

/** Runs of circuits: on the clean inputs, where edges outside carry what was written in another run. */
export class CircuitRuns {
  readonly runs: EdgeRuns;
  readonly #op: string;

  constructor(
    op: string,
    model: Module,
    pairs: ContrastData,
    { source = "counterpart", metric = "logitDifference" }: CircuitMeasure,
    options: Pick<PatchingOptions, "memoryBudget">,
  ) {
    this.#op = op;
    this.runs = new EdgeRuns(op, model, pairs, { direction: "noise", source, metric }, options);
  }

  /** What is measured. */
  get metric(): string {
    return this.runs.runs.metric.name;
  }

  /** The metric of the clean inputs, with all edges. */
  async whole(): Promise<readonly number[]> {
    return (await this.runs.unedited()).clean;
  }

  /** Of each circuit, the metric of each pair. @throws TsveneError for a circuit of another model. */
  run(
    circuits: readonly Circuit[],
    options: Omit<PatchingOptions, "memoryBudget"> = {},
  ): Promise<readonly (readonly number[])[]> {
    return this.runs.run(
      circuits.map((circuit) => this.weightsOf(circuit)),
      options,
    );
  }

  /** 1 for each edge that is not in the circuit. */
  weightsOf(circuit: Circuit): Float32Array {
    this.require(circuit);
    const own = new Set(circuit.edges);
    return Float32Array.from(this.runs.edges, ({ name }) => (own.has(name) ? 0 : 1));
  }

  /** @throws TsveneError for what is no circuit of this model. */
  require(circuit: unknown): void {
    if (!(circuit instanceof Circuit)) {
      fail(
        this.#op,
        `expected a Circuit, as scores.circuit({ edges: 50 }), got ${describeValue(circuit)}`,
      );
    }
    const { layers } = this.runs.stream;
    if (JSON.stringify(layers) === JSON.stringify(circuit.layers)) return;
    const said = (of: Circuit["layers"]): string => `${of.length} layers of ${of[0]?.heads} heads`;
    fail(this.#op, `the circuit is of ${said(circuit.layers)}, the model of ${said(layers)}`);
  }
}
