import { expect, test } from "vitest";
import {
  Adam,
  BoundlessRotatedSpaceIntervention,
  type ConfiguredIntervention,
  functional as F,
  IntervenableModel,
  LowRankRotatedSpaceIntervention,
  resetStats,
  RotatedSpaceIntervention,
  runtimeStats,
  tensor,
} from "tsvene";
import { ids, tinyGpt2 } from "../interventions/tiny-gpt2.ts";

const lowRank = LowRankRotatedSpaceIntervention.with({ lowRankDimension: 4 });
const parts = [
  { from: 0, to: 8 },
  { from: 8, to: 16 },
];
const rotated = RotatedSpaceIntervention.with({ subspacePartition: parts });
const boundless = BoundlessRotatedSpaceIntervention.with({});

/** What differs between steps, besides their texts and labels. */
interface Step {
  readonly at?: readonly (readonly number[])[];
  readonly subspaces?: number;
  readonly temperature?: number;
  readonly lr?: number;
  readonly reusePrefix?: true;
}

/** How many programs steps compile after the first one. */
async function compiledLater(
  intervention: ConfiguredIntervention,
  steps: readonly Step[],
): Promise<number> {
  const aligned = new IntervenableModel({ layer: 1, intervention }, tinyGpt2());
  aligned.disableModelGradients();
  const optimizer = new Adam(aligned.trainableParameters(), { lr: 1e-2 });
  for (const [
    i,
    { at = [[3], [3]], subspaces, temperature, lr = 1e-2, reusePrefix = false },
  ] of steps.entries()) {
    const [base, sources] = [
      ids([3, 1, 4, i, 5, 9], [2, 7, 1, 8, 2, 8]),
      ids([5, i, 6, 2, 6, 5], [1, 2, 3, i, 3, 5]),
    ];
    if (temperature !== undefined) aligned.setTemperature(temperature);
    for (const group of optimizer.groups) group.lr = lr;
    const unitLocations = { "sources->base": at };
    const told = subspaces === undefined ? {} : { subspaces };
    const options = { sources, unitLocations, reusePrefix, ...told };
    const { logits } = aligned.forward(base, options).intervened;
    const labels = tensor([i, 2 * i], { dtype: "int64" });
    await optimizer.step(F.crossEntropy(logits.select(1, -1), labels));
    if (i === 0) resetStats();
  }
  return runtimeStats().programsCompiled;
}

test.each<readonly [string, ConfiguredIntervention, readonly Step[]]>([
  ["texts and labels", lowRank, [{}, {}, {}]],
  ["positions", lowRank, [{ at: [[1], [2]] }, { at: [[3], [1]] }, { at: [[0], [3]] }]],
  ["learning rates", lowRank, [{ lr: 0.1 }, { lr: 0.01 }, { lr: 0.001 }]],
  ["parts of a partition", rotated, [{ subspaces: 0 }, { subspaces: 1 }, { subspaces: 0 }]],
  ["temperatures", boundless, [{ temperature: 50 }, { temperature: 1 }, { temperature: 0.1 }]],
])(
  "steps of training with other %s compile nothing",
  async (_, kind, steps) => {
    expect(await compiledLater(kind, steps)).toBe(0);
  },
  60_000,
);

test("steps compile once for prefixes of all lengths, whatever else is as long by accident", async () => {
  const from = (position: number): Step => ({ at: [[position], [position]], reusePrefix: true });
  // With six positions and two rows, 3 halves the text, and 4 leaves as many positions as rows.
  expect(await compiledLater(lowRank, [1, 2, 3, 4, 5].map(from))).toBe(0);
  expect(
    await compiledLater(
      rotated,
      [5, 3, 1].map((at) => ({ ...from(at), subspaces: 1 })),
    ),
  ).toBe(0);
}, 60_000);
