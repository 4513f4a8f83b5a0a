import { expect, test } from "vitest";
import {
  Adam,
  AdamW,
  evaluate,
  functional,
  type Intervention,
  type IntervenableModel,
  resetStats,
  runtimeStats,
  type Tensor,
  fromPyveneLocations,
} from "tsvene";
import { need } from "../../scripts/parity/intervention-config.ts";
import { keyed, gradientsOf, tensorsAt } from "../../scripts/parity/intervention-parameters.ts";
import {
  expectClose,
  expectStep,
  expectWeights,
  FREE,
  named,
  open,
  recorded,
  type Run,
  RUNS,
  type Tensors,
  TOLERANCE,
} from "./recorded-training.ts";

/** Gradients below this are rounding of what is zero. */
const NOISE = 1e-6;
const LEARNING_RATES = { boundaries: 5e-2, others: 1e-2 } as const;

function optimizerOf(run: Run, intervenable: IntervenableModel): Adam | AdamW {
  const all = [...named(intervenable)];
  const boundaries = all.filter(([name]) => name.endsWith("intervention_boundaries"));
  const others = all.filter((entry) => !boundaries.includes(entry));
  const groups = [
    { parameters: others.map(([, p]) => p), lr: LEARNING_RATES.others },
    { parameters: boundaries.map(([, p]) => p), lr: LEARNING_RATES.boundaries },
  ].filter(({ parameters }) => parameters.length > 0);
  const Kind = run.optimizer === "AdamW" ? AdamW : Adam;
  return new Kind(groups, { weightDecay: run.kwargs.weight_decay });
}

function logitsOf(run: Run, tensors: Tensors, intervenable: IntervenableModel): Tensor {
  const base = { inputIds: need(tensors, "base.input_ids") };
  const sources = { inputIds: need(tensors, "source.0.input_ids") };
  const { intervened } = intervenable.forward(base, {
    sources,
    unitLocations: fromPyveneLocations(run.unit_locations),
  });
  return (intervened as { readonly logits: Tensor }).logits;
}

function lossOf(run: Run, tensors: Tensors, intervenable: IntervenableModel): Tensor {
  const logits = logitsOf(run, tensors, intervenable).select(1, -1);
  const crossEntropy = functional.crossEntropy(logits, need(tensors, "target"));
  return boundarySums(intervenable.interventions).reduce((a, b) => a.add(b), crossEntropy);
}

function setTemperature(run: Run, step: number, { interventions }: IntervenableModel): void {
  const temperature = run.temperatures?.[step];
  if (temperature === undefined) return;
  for (const [, intervention] of interventions) intervention.setTemperature(temperature);
}

function setParameters(intervenable: IntervenableModel, values: Tensors): void {
  for (const [name, parameter] of named(intervenable)) parameter.set(need(values, name));
}

/** Compares the first step's update of the elements that a loss depends on. */
async function expectUpdates(
  intervenable: IntervenableModel,
  gradients: ReadonlyMap<string, Tensor>,
  tensors: Tensors,
): Promise<void> {
  for (const [name, parameter] of named(intervenable)) {
    const counts = need(gradients, name).abs().gt(NOISE).to("float32");
    expect(await counts.sum().item(), name).toBeGreaterThan(0);
    const expected = need(tensors, `param.1.${name}`);
    await expectClose(`${name} after step 1`, parameter.value.mul(counts), expected.mul(counts));
  }
}

function boundarySums(interventions: Iterable<readonly [string, Intervention]>): Tensor[] {
  return [...interventions].flatMap(([, intervention]) =>
    [...intervention.namedParameters()]
      .filter(([name]) => name === "intervention_boundaries")
      .map(([, { value }]) => value.sum()),
  );
}

async function gradientsNow(
  loss: Tensor,
  intervenable: IntervenableModel,
): Promise<ReadonlyMap<string, Tensor>> {
  const entries = keyed(intervenable).flatMap(([key, intervention]) =>
    [...gradientsOf(loss, intervention)].map(([name, g]): [string, Tensor] => [
      `${key}.${name}`,
      g,
    ]),
  );
  await evaluate(...entries.map(([, gradient]) => gradient));
  return new Map(entries);
}

test.each(RUNS)(
  "training %s goes as pyvene's does, and compiles one program",
  async (name, run) => {
    const tensors = await recorded(name);
    const intervenable = await open(run, tensors);
    expect([...named(intervenable).keys()].sort()).toStrictEqual([...run.parameters].sort());
    const optimizer = optimizerOf(run, intervenable);
    for (const [step, expected] of run.losses.entries()) {
      setTemperature(run, step, intervenable);
      const total = lossOf(run, tensors, intervenable);
      const gradients = step === 0 ? await gradientsNow(total, intervenable) : undefined;
      resetStats();
      const loss = await optimizer.step(total);
      expect(Math.abs(loss - expected), `loss of step ${step}`).toBeLessThanOrEqual(TOLERANCE);
      expect(runtimeStats()).toMatchObject({ runs: 1, programsCompiled: step === 0 ? 1 : 0 });
      if (gradients !== undefined) await expectUpdates(intervenable, gradients, tensors);
      if (!FREE.has(name)) await expectStep(step + 1, intervenable, tensors);
    }
    if (FREE.has(name)) return;
    const logits = logitsOf(run, tensors, intervenable);
    await expectClose("final logits", logits, need(tensors, "final.logits"));
  },
);

test.each(RUNS)(
  "each recorded state of %s gives the recorded loss and rotation",
  async (name, run) => {
    const tensors = await recorded(name);
    const intervenable = await open(run, tensors);
    for (const [step, expected] of run.losses.entries()) {
      setTemperature(run, step, intervenable);
      if (step > 0) setParameters(intervenable, tensorsAt(`param.${step}`, tensors));
      const loss = await lossOf(run, tensors, intervenable).item();
      expect(Math.abs(loss - expected), `loss of step ${step}`).toBeLessThanOrEqual(1e-5);
      await expectWeights(step, intervenable, tensors);
    }
    setParameters(intervenable, tensorsAt(`param.${run.losses.length}`, tensors));
    const logits = logitsOf(run, tensors, intervenable);
    await expectClose("final logits", logits, need(tensors, "final.logits"));
  },
);
