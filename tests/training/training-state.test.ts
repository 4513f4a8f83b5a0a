import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  Adam,
  AdamW,
  BoundlessRotatedSpaceIntervention,
  functional,
  Generator,
  GPT2LMHeadModel,
  IntervenableModel,
  Linear,
  linearScheduleWithWarmup,
  loadTorchFile,
  loadTrainingState,
  LowRankRotatedSpaceIntervention,
  manualSeed,
  type Parameter,
  type Resumable,
  saveTrainingState,
  SGD,
  SigmoidMaskIntervention,
  StepLR,
  tensor,
} from "tsvene";

const scratch = await mkdtemp(join(tmpdir(), "training-state-"));
const gpt2 = new GPT2LMHeadModel({ nLayer: 2, nEmbd: 8, nHead: 2, vocabSize: 20 }).eval();
const ids = (...row: number[]) => ({ inputIds: tensor([row], { dtype: "int64" }) });

const KINDS = {
  "a direction": LowRankRotatedSpaceIntervention.with({ lowRankDimension: 2 }),
  "learned boundaries": BoundlessRotatedSpaceIntervention,
  "a mask": SigmoidMaskIntervention,
};

/** A rule of learning with its schedule. */
interface Rule {
  readonly optimizer: Adam | AdamW | SGD;
  readonly schedule: Resumable & { step(): void };
}

const RULES = {
  Adam(parameters: Parameter[]): Rule {
    const optimizer = new Adam(parameters, { lr: 0.05 });
    const plan = { warmupSteps: 5, totalSteps: 90 };
    return { optimizer, schedule: linearScheduleWithWarmup(optimizer, plan) };
  },
  AdamW(parameters: Parameter[]): Rule {
    const optimizer = new AdamW(parameters, { lr: 0.05 });
    return { optimizer, schedule: new StepLR(optimizer, { stepSize: 7, gamma: 0.7 }) };
  },
  SGD(parameters: Parameter[]): Rule {
    const optimizer = new SGD(parameters, { lr: 0.05, momentum: 0.9 });
    return { optimizer, schedule: new StepLR(optimizer, { stepSize: 7, gamma: 0.7 }) };
  },
};

/** One training of an intervention, whose prompts and labels are drawn as it goes. */
class Run {
  readonly model;
  readonly rule: Rule;
  readonly generator: Generator;

  constructor(kind: keyof typeof KINDS, rule: keyof typeof RULES) {
    this.generator = manualSeed(5);
    this.model = new IntervenableModel({ layer: 1, intervention: KINDS[kind] }, gpt2);
    this.rule = RULES[rule](this.model.trainableParameters());
  }

  get parts(): Record<string, Resumable> {
    const interventions = Object.fromEntries(this.model.interventions);
    return { ...interventions, ...this.rule, generator: this.generator };
  }

  async losses(count: number): Promise<number[]> {
    const losses: number[] = [];
    for (let i = 0; i < count; i++) {
      const word = this.generator.integer(20);
      const { logits } = this.model.forward(ids(1, 2, word), {
        sources: [ids(4, 5, 6)],
        unitLocations: { "sources->base": 2 },
      }).intervened;
      const loss = functional.crossEntropy(
        logits.select(1, 2),
        tensor([this.generator.integer(20)], { dtype: "int64" }),
      );
      losses.push(await this.rule.optimizer.step(loss));
      this.rule.schedule.step();
    }
    return losses;
  }
}

test.each([
  ["a direction", "Adam"],
  ["learned boundaries", "AdamW"],
  ["a mask", "SGD"],
] as const)("%s under %s goes on as if it had not stopped", async (kind, rule) => {
  const file = join(scratch, `${rule}.pt`);
  const whole = new Run(kind, rule);
  await whole.losses(10);
  await saveTrainingState(file, whole.parts);
  const wanted = await whole.losses(50);
  expect(new Set(wanted).size).toBeGreaterThan(40);

  const resumed = new Run(kind, rule);
  await loadTrainingState(file, resumed.parts);
  expect(await resumed.losses(50)).toEqual(wanted);
});

test("an optimiser's states are numbered as PyTorch numbers them", async () => {
  const layer = new Linear(2, 1);
  const optimizer = new Adam(layer.parameters(), { lr: 0.1 });
  await optimizer.step(layer.forward(tensor([[1, 2]])).sum());
  const file = join(scratch, "numbered.pt");
  await saveTrainingState(file, { optimizer });
  const saved = (await loadTorchFile(file)) as ReadonlyMap<string, ReadonlyMap<string, unknown>>;
  const states = saved.get("optimizer")?.get("state") as ReadonlyMap<unknown, unknown>;
  expect([...states.keys()]).toEqual([0, 1]);
});

test("what does not fit leaves all parts as they were", async () => {
  const file = join(scratch, "other.pt");
  await saveTrainingState(file, { generator: new Generator(3), layer: new Linear(3, 1) });
  const layer = new Linear(2, 1);
  const generator = new Generator(4);
  const before = [generator.stateDict(), await layer.weight.value.toArray()];
  await expect(loadTrainingState(file, { generator, layer })).rejects.toThrow(
    /weight has shape \[1, 3\], wanted \[1, 2\]/,
  );
  expect([generator.stateDict(), await layer.weight.value.toArray()]).toEqual(before);

  await expect(loadTrainingState(file, { generator })).rejects.toThrow(
    "loadTrainingState: the file holds generator, layer, not generator",
  );
  const content = await readFile(file);
  await expect(loadTrainingState(content.subarray(0, 200), { generator, layer })).rejects.toThrow();
  expect(generator.stateDict()).toEqual(before[0]);
});

test("what has no state is refused before anything is written", async () => {
  const file = join(scratch, "kept.pt");
  await writeFile(file, "kept");
  const lr = 0.1 as unknown as Resumable;
  await expect(saveTrainingState(file, { lr })).rejects.toThrow(
    /lr is a number, which has no stateDict/,
  );
  await expect(saveTrainingState(file, {})).rejects.toThrow(/there are no parts/);
  expect(await readFile(file, "utf8")).toBe("kept");
});

test("a generator refuses what is no state, and is as it was", () => {
  const generator = new Generator(1);
  const before = generator.stateDict();
  const wrong = { key: [1, 2], splits: 0, words: [1, 2, 3] } as never;
  expect(() => generator.loadStateDict(wrong)).toThrow(/expected what stateDict\(\) gave/);
  expect(generator.stateDict()).toEqual(before);
});
