import {
  AutoModelForCausalLM,
  clearSessions,
  evaluate,
  functional,
  Generator,
  FrozenParts,
  IntervenableModel,
  Linear,
  LowRankRotatedSpaceIntervention,
  manualSeed,
  type Module,
  type Parameter,
  randn,
  type RepresentationConfig,
  resetStats,
  RotatedSpaceIntervention,
  runtimeStats,
  SGD,
  SigmoidMaskIntervention,
  type Tensor,
  tensor,
  type UnitLocations,
  VanillaIntervention,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { tinyGpt2 } from "../interventions/tiny-gpt2.ts";
import { golden } from "../models/checkpoints.ts";

/** Token ids of examples, which a number tells apart. */
function texts(examples: readonly number[], salt: number, length = 6): number[][] {
  return examples.map((i) => Array.from({ length }, (_, t) => (7 * i + 3 * t + salt * t * t) % 44));
}

const int64 = (values: number[] | number[][]): Tensor =>
  tensor(values as number[], { dtype: "int64" });

/** Batches of eight examples, in another order in each epoch. */
const EPOCHS = [[[0, 1, 2], [3, 4, 5], [6, 7]], [[6, 3, 0], [5, 1, 4], [2, 7]], [[7, 5, 6], [0, 4, 3], [1, 2]]]; // prettier-ignore

interface Task {
  readonly config: RepresentationConfig | readonly RepresentationConfig[];
  readonly model: Module;
  readonly mode?: "serial";
  readonly sources?: number;
  readonly locations: (examples: readonly number[]) => UnitLocations;
  readonly masked?: boolean;
  readonly prefix?: number;
}

interface Trained {
  readonly losses: readonly number[];
  readonly parameters: readonly (readonly number[])[];
  /** Multiply-adds of each epoch. */
  readonly work: readonly number[];
}

/** Three epochs of alignment search, with what does not change kept or not. */
async function trained(task: Task, frozen?: FrozenParts): Promise<Trained> {
  manualSeed(3);
  const representations = [task.config].flat();
  const aligned = new IntervenableModel(
    task.mode === undefined ? representations : { mode: task.mode, representations },
    task.model,
  );
  const optimizer = new SGD(aligned.trainableParameters(), { lr: 0.1 });
  const [losses, work]: [number[], number[]] = [[], []];
  for (const batches of EPOCHS) {
    resetStats();
    for (const examples of batches) {
      const loss = lossOf(aligned, task, examples);
      await frozen?.settle([loss], aligned.trainableParameters());
      losses.push(await optimizer.step(loss));
    }
    work.push(runtimeStats().multiplyAdds);
  }
  return { losses, parameters: await numbersOf(aligned.trainableParameters()), work };
}

function lossOf(aligned: IntervenableModel, task: Task, examples: readonly number[]): Tensor {
  const inputs = (salt: number): unknown => ({
    inputIds: int64(texts(examples, salt)),
    ...(task.masked === true && { attentionMask: int64(examples.map((i) => [i % 2, Number(i % 4 > 0), 1, 1, 1, 1])) }), // prettier-ignore
  });
  const sources = Array.from({ length: task.sources ?? 1 }, (_, i) => inputs(i + 1));
  const { logits } = aligned.forward(inputs(0), {
    sources,
    unitLocations: task.locations(examples),
    ...(task.prefix === undefined ? {} : { reusePrefix: task.prefix }),
  }).intervened as { readonly logits: Tensor };
  return functional.crossEntropy(logits.select(1, -1), int64(examples.map((i) => i % 5)));
}

async function numbersOf(parameters: readonly Parameter[]): Promise<number[][]> {
  const all = await Promise.all(parameters.map((p) => p.value.data()));
  return all.map((values) => Array.from(values, Number));
}

function expectClose(a: Trained, b: Trained): void {
  a.losses.forEach((loss, i) => expect(Math.abs(loss - (b.losses[i] ?? NaN))).toBeLessThan(1e-5));
  a.parameters.forEach((values, i) =>
    values.forEach((value, j) =>
      expect(Math.abs(value - (b.parameters[i]?.[j] ?? NaN))).toBeLessThan(1e-5),
    ),
  );
}

const lowRank = LowRankRotatedSpaceIntervention.with({ lowRankDimension: 2 });
const site = { layer: 1, component: "block_output", intervention: lowRank } as const;
const gpt2 = tinyGpt2();
const load = (name: string): Promise<Module> => AutoModelForCausalLM.fromPretrained(golden(name));

const TASKS: Readonly<Record<string, () => Promise<Task>>> = {
  "GPT-2": async () => ({ model: gpt2, config: site, locations: () => ({ "sources->base": 5 }) }),
  "places that differ in each row": async () => ({
    model: gpt2,
    prefix: 3,
    config: site,
    locations: (examples) => ({
      "sources->base": {
        source: examples.map((i) => [i % 6]),
        base: examples.map((i) => [3 + (i % 2)]),
      },
    }),
  }),
  "the first place, where nothing is read in two": async () => ({
    model: gpt2,
    config: site,
    locations: () => ({ "sources->base": 0 }),
  }),
  "padded texts": async () => ({
    model: gpt2,
    config: site,
    masked: true,
    locations: () => ({ "sources->base": "last" }),
  }),
  "several sources": async () => ({
    model: gpt2,
    sources: 2,
    config: [site, { layer: 2, component: "mlp_output", intervention: SigmoidMaskIntervention }],
    locations: () => ({ "sources->base": { each: [4, 5] } }),
  }),
  "groups one after another": async () => ({
    model: gpt2,
    mode: "serial",
    sources: 2,
    config: [{ layer: 0, component: "block_output", intervention: VanillaIntervention }, site],
    locations: () => ({ "source_0->source_1": 2, "source_1->base": { source: 4, base: 5 } }),
  }),
  "linked interventions": async () => {
    const rotated = RotatedSpaceIntervention.with({ subspacePartition: [{ from: 0, to: 8 }, { from: 8, to: 16 }] }); // prettier-ignore
    const linked = { ...site, intervention: rotated, interventionLinkKey: 0 };
    return {
      model: gpt2,
      sources: 2,
      config: [linked, linked],
      locations: () => ({ "sources->base": 4 }),
    };
  },
  "a Llama": async () => ({
    model: await load("llama"),
    config: { ...site, layer: 0 },
    locations: () => ({ "sources->base": 4 }),
  }),
  "a recurrent model": async () => ({
    model: await load("mamba"),
    config: { ...site, layer: 0 },
    locations: () => ({ "sources->base": 4 }),
  }),
};

describe("what is frozen, kept", () => {
  test.each(Object.keys(TASKS))("gives the same for %s, with less work", async (name) => {
    const task = await TASKS[name]?.();
    if (task === undefined) throw new Error("no task");
    const plain = await trained(task);
    const frozen = new FrozenParts();
    const kept = await trained(task, frozen);
    expectClose(kept, plain);
    const [first = 0, second = 0, third = 0] = kept.work;
    expect(second).toBeLessThan(0.8 * first);
    expect(third).toBe(second);
    const { parts } = frozen.report();
    expect(parts.map(({ examples }) => examples)).toContain(8);
  });

  test("is bounded, and what there is no room for is computed again", async () => {
    const task = await TASKS["GPT-2"]?.();
    if (task === undefined) throw new Error("no task");
    const plain = await trained(task);
    const all = new FrozenParts();
    const { work: whole } = await trained(task, all);
    const { bytes } = all.report();
    const half = new FrozenParts({ memoryBudget: Math.ceil(bytes / 2) });
    const kept = await trained(task, half);
    expectClose(kept, plain);
    expect(half.report().bytes).toBeLessThanOrEqual(bytes / 2);
    // The source's state is small and saves much, so that it is kept of all.
    expect(half.report().parts.map(({ examples }) => examples)).toContain(8);
    expect(kept.work[2]).toBeLessThan(kept.work[0] ?? 0);
    expect(kept.work[2]).toBeGreaterThan(whole[2] ?? Infinity);
    const nothing = new FrozenParts({ memoryBudget: 0 });
    expectClose(await trained(task, nothing), plain);
    expect(nothing.report().bytes).toBe(0);
    half.clear();
    expect(half.report()).toMatchObject({ bytes: 0, parts: [] });
  });

  test("is never another example, another edit or another weight", async () => {
    const model = tinyGpt2();
    const aligned = new IntervenableModel(site, model);
    const frozen = new FrozenParts();
    const check = async (task: Task, examples: readonly number[]): Promise<void> => {
      const [kept, plain] = [lossOf(aligned, task, examples), lossOf(aligned, task, examples)];
      await frozen.settle([kept], aligned.trainableParameters());
      expect(await kept.item()).toBeCloseTo(await plain.item(), 4);
    };
    const at = (place: number): Task => ({ model, config: site, locations: () => ({ "sources->base": { source: place, base: 5 } }) }); // prettier-ignore
    await check(at(5), [0, 1, 2]);
    await check(at(4), [0, 1, 2]);
    await check({ ...at(5), masked: true }, [0, 1, 2]);
    await check(at(5), [2, 0, 9]);
    const [weight] = model.parameters();
    weight?.set(weight.value.mul(0.5));
    await check(at(5), [2, 0, 9]);
  });

  test("leaves what is drawn for each batch and what mixes rows as it is", async () => {
    const [layer, probe] = [new Linear(256, 256), new Linear(256, 1)];
    const x = randn([8, 256], { generator: new Generator(1) });
    await evaluate(x);
    const trace = (rows: readonly number[], noise: Tensor): Tensor => {
      const batch = x.indexSelect(0, tensor([...rows], { dtype: "int64" })).add(noise);
      const hidden = layer.forward(batch);
      return probe
        .forward(hidden.sub(hidden.mean({ dim: 0 })))
        .square()
        .mean();
    };
    const frozen = new FrozenParts();
    for (const [i, rows] of [
      [0, 1, 2],
      [2, 1, 3],
      [3, 1, 0],
    ].entries()) {
      // prettier-ignore
      const noise = randn([3, 256], { generator: new Generator(i) });
      const [kept, plain] = [trace(rows, noise), trace(rows, noise)];
      await frozen.settle([kept], probe.parameters());
      expect(await kept.item()).toBeCloseTo(await plain.item(), 4);
    }
    expect(frozen.report().parts.map(({ reused }) => reused)).toEqual([0]);
  });

  test("gives up what is full of what never comes again", async () => {
    const [layer, probe] = [new Linear(256, 256), new Linear(256, 1)];
    const frozen = new FrozenParts({ memoryBudget: 4096 });
    for (let step = 0; step < 40; step++) {
      const loss = probe.forward(layer.forward(randn([4, 256]))).mean();
      await frozen.settle([loss], probe.parameters());
      await evaluate(loss);
    }
    expect(frozen.report().bytes).toBe(0);
  });

  test("is a step of one program after the first", async () => {
    const task = await TASKS["GPT-2"]?.();
    if (task === undefined) throw new Error("no task");
    await clearSessions();
    await trained(task, new FrozenParts());
    resetStats();
    await trained(task, new FrozenParts());
    expect(runtimeStats().programsCompiled).toBe(0);
  });

  test("refuses budgets that are none", () => {
    for (const memoryBudget of [-1, NaN]) {
      expect(() => new FrozenParts({ memoryBudget })).toThrow(
        `FrozenParts: memoryBudget must be a number of bytes, got ${memoryBudget}`,
      );
    }
  });
});
