import { describe, expect, test, vi } from "vitest";
import {
  type AlignmentBatch,
  type AlignmentData,
  AlignmentScore,
  BoundlessRotatedSpaceIntervention,
  cat,
  evalAlignment,
  Generator,
  IntervenableModel,
  type InterventionKind,
  Linear,
  LowRankRotatedSpaceIntervention,
  Module,
  randn,
  RotatedSpaceIntervention,
  SigmoidMaskIntervention,
  stack,
  type Tensor,
  tensor,
  type UnitLocations,
  VanillaIntervention,
} from "tsvene";

const WIDTH = 8;
const CLASSES = 3;
const COUNT = 50;
const generator = new Generator(5);

/** Two layers: hidden = tanh(x A), logits = hidden B. */
class Net extends Module {
  readonly hidden = new Linear(4, WIDTH);
  readonly head = new Linear(WIDTH, CLASSES);
  override forward(x: Tensor): Tensor {
    return this.head.forward(this.hidden.forward(x));
  }
}

const net = new Net();
const inputs = {
  base: randn([COUNT, 4], { generator }),
  source: randn([COUNT, 4], { generator }),
};
const rows = (x: Tensor, indices: readonly number[]): Tensor => x.indexSelect(0, [...indices]);

/** Labels are the source's answers, so that a full swap of the hidden state is always right. */
const answers = await net.forward(inputs.source).argmax(-1).toArray(1);
const baseAnswers = await net.forward(inputs.base).argmax(-1).toArray(1);

function dataOf(
  more: (indices: readonly number[]) => Partial<AlignmentBatch<Tensor>> = () => ({}),
) {
  const data: AlignmentData<Tensor> = {
    length: COUNT,
    batch: (indices) => ({
      indices,
      base: rows(inputs.base, indices),
      sources: { class: rows(inputs.source, indices) },
      labels: tensor(
        indices.map((i) => answers[i] ?? 0),
        { dtype: "int64" },
      ),
      baseLabels: tensor(
        indices.map((i) => baseAnswers[i] ?? 0),
        { dtype: "int64" },
      ),
      ...more(indices),
    }),
  };
  return data;
}

function alignedBy(intervention: InterventionKind): IntervenableModel<Net> {
  return new IntervenableModel<Net>(
    { name: "class", component: "hidden.output", intervention },
    net,
  );
}

const share = (flags: readonly boolean[]): number => flags.filter(Boolean).length / flags.length;

describe("controls", () => {
  test("a full swap of a Vanilla alignment is the alignment itself", async () => {
    const score = await evalAlignment(alignedBy(VanillaIntervention), dataOf());
    expect(score.iia).toBe(1);
    expect(score.controls.fullSwap).toBe(score.iia);
    expect(score.controls.random).toBeUndefined();
    expect(score.n).toBe(COUNT);
    expect(score.byVariables).toHaveLength(1);
  });

  test("no edit, majority and score are what counting gives", async () => {
    const score = await evalAlignment(alignedBy(VanillaIntervention), dataOf(), { batchSize: 7 });
    const noEdit = share(answers.map((label, i) => label === baseAnswers[i]));
    const majority = Math.max(...[0, 1, 2].map((c) => share(answers.map((label) => label === c))));
    expect(score.controls.noEdit).toBeCloseTo(noEdit, 12);
    expect(score.controls.majority).toBeCloseTo(majority, 12);
    expect(score.baseAccuracy).toBe(1);
    expect(score.score).toBe(1);
  });

  test("a random rotation of full size is the full swap", async () => {
    const rotated = alignedBy(RotatedSpaceIntervention);
    const { controls, iia } = await evalAlignment(rotated, dataOf());
    expect(iia).toBe(1);
    expect(controls.random).toEqual({ mean: 1, sd: 0, n: 5 });
  });

  test("random directions are drawn anew, alike for one seed, and change nothing", async () => {
    const aligned = alignedBy(LowRankRotatedSpaceIntervention.with({ lowRankDimension: 1 }));
    const before = await aligned.interventions.get("class").parameters()[0]?.value.toArray();
    const score = await evalAlignment(aligned, dataOf(), { seed: 3, randomDraws: 8 });
    expect(score.controls.random?.n).toBe(8);
    expect(score.controls.random?.sd).toBeGreaterThan(0);
    expect(score.controls.random?.mean).toBeLessThan(1);
    const again = await evalAlignment(aligned, dataOf(), {
      seed: 3,
      randomDraws: 8,
      batchSize: 13,
    });
    expect(again).toEqual(score);
    expect(await aligned.interventions.get("class").parameters()[0]?.value.toArray()).toEqual(
      before,
    );
  });

  test("another site is the same intervention elsewhere", async () => {
    const { controls } = await evalAlignment(alignedBy(VanillaIntervention), dataOf(), {
      otherSite: { component: "head.output" },
    });
    expect(controls.otherSite).toEqual({ iia: 1, site: "head.output" });
  });

  test("shuffled labels are trained on, and evaluated on the right ones", async () => {
    const aligned = alignedBy(LowRankRotatedSpaceIntervention.with({ lowRankDimension: 1 }));
    const train = vi.fn(async (fresh: IntervenableModel, data: AlignmentData) => {
      expect(fresh).not.toBe(aligned);
      const all = Array.from({ length: data.length }, (_, i) => i);
      const labels = await data.batch(all).labels.toArray(1);
      expect(labels).not.toEqual(answers);
      const counts = (of: number[]) => [0, 1, 2].map((c) => of.filter((x) => x === c).length);
      expect(counts(labels)).toEqual(counts(answers));
    });
    const score = await evalAlignment(aligned, dataOf(), {
      shuffledLabels: true,
      train,
      trainData: dataOf(),
    });
    expect(train).toHaveBeenCalledTimes(1);
    expect(score.controls.shuffledLabels).toBeLessThan(1);
    await expect(evalAlignment(aligned, dataOf(), { shuffledLabels: true })).rejects.toThrow(
      /give train and trainData/,
    );
  });
});

const swapped: number[][] = await net.forward(inputs.source).toArray(2);
const plain: number[][] = await net.forward(inputs.base).toArray(2);

describe("metrics", () => {
  const different = answers.flatMap((label, i) => (label === baseAnswers[i] ? [] : [i]));
  const at = (table: number[][], row: number, column = 0): number => table[row]?.[column] ?? NaN;
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

  test("pairwise leaves out examples whose labels are the same", async () => {
    const score = await evalAlignment(alignedBy(VanillaIntervention), dataOf(), {
      metric: "pairwise",
    });
    expect(score.n).toBe(different.length);
    expect(score.leftOut).toBe(COUNT - different.length);
    expect(score.iia).toBe(1);
    expect(score.controls.noEdit).toBe(0);
    expect(score.controls.majority).toBe(0.5);
  });

  test("odds are those of CausalGym", async () => {
    const score = await evalAlignment(alignedBy(VanillaIntervention), dataOf(), { metric: "odds" });
    const odds = different.map((i) => {
      const [label, base] = [answers[i], baseAnswers[i]];
      return (
        at(plain, i, base) - at(plain, i, label) + at(swapped, i, label) - at(swapped, i, base)
      );
    });
    expect(score.iia).toBeCloseTo(mean(odds), 4);
    expect(score.controls.noEdit).toBe(0);
    expect(score.score).toBeUndefined();
    const sd = Math.sqrt(
      odds.reduce((sum, x) => sum + (x - mean(odds)) ** 2, 0) / (odds.length - 1),
    );
    expect(score.interval[1] - score.iia).toBeCloseTo((1.96 * sd) / Math.sqrt(odds.length), 3);
  });

  test("one of your own says what is better", async () => {
    const score = await evalAlignment(alignedBy(VanillaIntervention), dataOf(), {
      metric: {
        name: "squared error",
        lowerIsBetter: true,
        values: ({ logits, originalLogits }) =>
          logits.select(1, 0).sub(originalLogits.select(1, 0)).square(),
      },
    });
    expect(score.iia).toBeCloseTo(
      mean(swapped.map((_, i) => (at(swapped, i) - at(plain, i)) ** 2)),
      4,
    );
    expect(score.controls.noEdit).toBe(0);
    expect(String(score)).toMatch(/squared error, lower is better, 50 examples/);
  });

  test("the interval is Wilson's", async () => {
    const aligned = alignedBy(LowRankRotatedSpaceIntervention.with({ lowRankDimension: 1 }));
    const { iia: p, interval, n } = await evalAlignment(aligned, dataOf(), { randomDraws: 0 });
    // The bounds are the shares that lie 1.96 of their own standard errors away.
    for (const bound of interval) {
      expect(Math.abs(p - bound) / Math.sqrt((bound * (1 - bound)) / n)).toBeCloseTo(1.96, 2);
    }
  });
});

describe("masks", () => {
  function masked(...values: number[]): IntervenableModel<Net> {
    const aligned = alignedBy(SigmoidMaskIntervention);
    const mask = aligned.interventions.get("class") as SigmoidMaskIntervention;
    mask.mask.set(tensor(values));
    mask.setTemperature(1);
    return aligned;
  }

  test("are evaluated hard, and soft beside it", async () => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const aligned = masked(9, 9, 9, 9, 0.1, 0.1, 0.1, 0.1);
    const score = await evalAlignment(aligned, dataOf());
    expect(score.iia).toBe(1);
    expect(score.soft).toBeLessThan(1);
    expect(score.masks).toEqual([{ name: "class", swapped: 8, width: 8, undecided: 0.5 }]);
    expect(warned.mock.calls.flat().join()).toMatch(
      /class: 8 of 8 dimensions swapped, 50 % undecided/,
    );
    warned.mockRestore();
  });

  test("that swap nothing are no edit, and say so", async () => {
    const score = await evalAlignment(masked(-9, -9, -9, -9, -9, -9, -9, -9), dataOf());
    expect(score.iia).toBe(score.controls.noEdit);
    expect(score.controls.random?.mean).toBe(score.controls.noEdit);
    expect(String(score)).toContain("no dimension swapped");
  });

  test("of a boundary are those before it, and the boundary is what is used", async () => {
    const aligned = alignedBy(BoundlessRotatedSpaceIntervention);
    const bounded = aligned.interventions.get("class") as BoundlessRotatedSpaceIntervention;
    bounded.setInterventionBoundaries(1.8);
    bounded.setTemperature(0.01);
    const score = await evalAlignment(aligned, dataOf());
    expect(score.iia).toBe(1);
    expect(score.masks).toEqual([
      { name: "class", swapped: 8, width: 8, undecided: 0, boundary: 1 },
    ]);
    bounded.setInterventionBoundaries(-0.7);
    const none = await evalAlignment(aligned, dataOf());
    expect(none.masks[0]).toMatchObject({ swapped: 0 });
    expect(none.iia).toBe(none.controls.noEdit);
  });
});

describe("several variables", () => {
  const twoSites = new IntervenableModel<Net>(
    [
      { name: "first", component: "hidden.output" },
      { name: "second", component: "head.output" },
    ],
    net,
  );
  const mixed = dataOf((indices) => {
    const source = rows(inputs.source, indices);
    return {
      sources: { first: source, second: source },
      rows: { first: indices.map((i) => i % 2 === 0), second: indices.map((i) => i % 3 === 0) },
    };
  });

  test("the score is broken down by the variables that examples intervene on", async () => {
    const score = await evalAlignment(twoSites, mixed);
    const sets = score.byVariables.map(({ variables, n }) => [variables.join("+"), n]);
    expect(Object.fromEntries(sets)).toEqual({ "first+second": 9, "": 17, first: 16, second: 8 });
    for (const { variables, iia, noEdit } of score.byVariables) {
      expect(iia).toBe(variables.length === 0 ? noEdit : 1);
    }
    const total = score.byVariables.reduce((sum, { n, iia }) => sum + n * iia, 0);
    expect(score.iia).toBeCloseTo(total / COUNT, 12);
    expect(String(score)).toContain("on first and second");
  });

  const linked = (interchangeDim: number | undefined) =>
    new IntervenableModel<Net>(
      ["first", "second"].map((name) => ({
        name,
        component: "hidden.output" as const,
        interventionLinkKey: 0,
        intervention: RotatedSpaceIntervention.with({
          interchangeDim,
          subspacePartition: [[0, 1], [1, 2], [3]],
        }),
      })),
      net,
    );
  const withParts = (first: number[], second: number[]) => ({
    ...mixed,
    batch: (indices: readonly number[]) => ({
      ...mixed.batch(indices),
      subspaces: { each: { first, second } },
    }),
  });

  test("of one rotation need dimensions of their own", async () => {
    await expect(evalAlignment(linked(undefined), mixed)).rejects.toThrow(
      /first and second change the same dimensions of one place \(0, 1, 2/,
    );
    await expect(evalAlignment(linked(undefined), withParts([0], [1]))).rejects.toThrow(
      /one place \(1\).*give each its own/,
    );
    await evalAlignment(linked(undefined), withParts([0], [2]), { randomDraws: 1 });
  });

  test("of plain interchanges at one place undo each other", async () => {
    const both = new IntervenableModel<Net>(
      [
        { name: "first", component: "hidden.output" },
        { name: "second", component: "hidden.output" },
      ],
      net,
    );
    await expect(evalAlignment(both, mixed)).rejects.toThrow(/one undoes the other/);
  });
});

test("families are said apart: the answer changes with the cause, and stays elsewhere", async () => {
  // The base's answer is wanted of every third example, as RAVEL's iso examples do.
  const isIso = (i: number): boolean => i % 3 === 0;
  const wanted = answers.map((label, i) => (isIso(i) ? (baseAnswers[i] ?? 0) : label));
  const data = dataOf((indices) => ({
    labels: tensor(
      indices.map((i) => wanted[i] ?? 0),
      { dtype: "int64" },
    ),
  }));
  const score = await evalAlignment(alignedBy(VanillaIntervention), data, {
    family: (i) => (isIso(i) ? "iso" : "cause"),
  });
  const [iso, cause] = score.byFamily;
  expect([iso?.family, cause?.family]).toEqual(["iso", "cause"]);
  expect(cause).toMatchObject({ iia: 1, fullSwap: 1, n: 33 });
  expect(iso).toMatchObject({ noEdit: 1, n: 17 });
  // A full swap changes everything.
  const stays = answers.filter((label, i) => isIso(i) && label === baseAnswers[i]).length / 17;
  expect(iso?.iia).toBeCloseTo(stays, 12);
  expect(String(score)).toMatch(/cause +1\.000 +33 examples/);
});

describe("price tagging: is the amount at least the lower bound, and at most the upper one?", () => {
  /** Region 1 lies below both bounds, 2 between them, 3 above both; a neuron for each answer. */
  class Reader extends Module {
    override forward(regions: Tensor): Tensor {
      return cat([regions.gt(1).to("float32"), regions.lt(3).to("float32")], 1);
    }
  }
  /** Says yes where both neurons do. */
  class Tagger extends Module {
    readonly read = new Reader();
    override forward(regions: Tensor): Tensor {
      const yes = this.read.forward(regions).sum({ dim: 1 }).sub(1.5);
      return stack([yes.neg(), yes], 1);
    }
  }
  /** The pairs of regions of the left boundary's sampler, half of them with the answer yes. */
  const times = (count: number, list: number[][]): number[][] =>
    list.flatMap((pair) => Array.from({ length: count }, () => pair));
  const yes = times(5, [[1, 2], [1, 3], [2, 2], [2, 3]]); // prettier-ignore
  const no = times(4, [[1, 1], [2, 1], [3, 1], [3, 2], [3, 3]]); // prettier-ignore
  const pairs = [...yes, ...no];
  const column = (indices: readonly number[], side: 0 | 1): Tensor =>
    tensor(indices.map((i) => [pairs[i]?.[side] ?? 0]));
  const flags = (indices: readonly number[], of: (i: number) => boolean): Tensor =>
    tensor(
      indices.map((i) => Number(of(i))),
      { dtype: "int64" },
    );
  const data: AlignmentData<Tensor> = {
    length: pairs.length,
    batch: (indices) => ({
      indices,
      base: column(indices, 0),
      sources: { left: column(indices, 1) },
      labels: flags(indices, (i) => i < yes.length),
      baseLabels: flags(indices, (i) => pairs[i]?.[0] === 2),
    }),
  };
  const scoreOf = (neuron: number): Promise<AlignmentScore> => {
    const intervention = VanillaIntervention.with({ interchangeDim: [neuron] });
    const place = { name: "left", component: "read.output", intervention } as const;
    return evalAlignment(new IntervenableModel<Tagger>(place, new Tagger()), data);
  };

  test("no edit and the source's answer are both right in .65, and only the neuron is in all", async () => {
    const score = await scoreOf(0);
    expect(score.controls.noEdit).toBeCloseTo(0.65, 12);
    expect(score.controls.fullSwap).toBeCloseTo(0.65, 12);
    expect(score.controls.majority).toBe(0.5);
    expect(score.iia).toBe(1);
    expect(score.score).toBe(1);
    expect(score.baseAccuracy).toBe(1);
  });

  test("the other boundary's neuron is no better than no edit by much", async () => {
    const score = await scoreOf(1);
    expect(score.iia).toBeLessThan(0.7);
    expect(score.score).toBeLessThan(0.15);
  });
});

describe("errors", () => {
  const vanilla = alignedBy(VanillaIntervention);

  test.each<[string, Partial<AlignmentBatch<Tensor>>, RegExp]>([
    ["another variable", { sources: { clas: inputs.base } }, /intervenes on clas, .*class/],
    ["no source", { sources: {} }, /no example intervenes on class/],
    [
      "labels that the model does not have",
      {
        labels: tensor(
          answers.map((a) => a + 1),
          { dtype: "int64" },
        ),
      },
      /label 3 is out of range: the model has 3 classes/,
    ],
  ])("%s", async (_what, batch, message) => {
    const data = {
      length: COUNT,
      batch: (i: readonly number[]) => ({ ...dataOf().batch(i), ...batch }),
    };
    await expect(evalAlignment(vanilla, data, { batchSize: COUNT })).rejects.toThrow(message);
  });

  test("units of another count in the source than in the base", async () => {
    const unitLocations: UnitLocations = { "sources->base": { source: [0, 1], base: [0] } };
    const model = new IntervenableModel<Net>({ name: "class", component: "hidden.output" }, net);
    const deep = dataOf(() => ({ unitLocations }));
    await expect(
      evalAlignment(model, {
        length: COUNT,
        batch: (i: readonly number[]) => {
          const batch = deep.batch(i);
          const lift = (x: Tensor): Tensor => x.unsqueeze(1).expand([-1, 3, -1]);
          return {
            ...batch,
            base: lift(batch.base),
            sources: { class: lift(batch.sources.class as Tensor) },
          };
        },
      }),
    ).rejects.toThrow(/2 .*1 |as many/);
  });

  test("examples that were trained on", async () => {
    const named = { ...dataOf(), key: (i: number) => `pair ${i}` };
    const others = { ...dataOf(), key: (i: number) => `pair ${i + COUNT - 2}` };
    await expect(evalAlignment(vanilla, named, { trainData: others })).rejects.toThrow(
      /2 of 50 examples are among those that were trained on, such as example 48, which is 0 there/,
    );
    await evalAlignment(vanilla, named, { trainData: dataOf(), randomDraws: 0 });
  });

  test("options and arguments that are none", async () => {
    await expect(evalAlignment(vanilla, dataOf(), { batchSize: 0 })).rejects.toThrow(/batchSize/);
    await expect(
      evalAlignment(vanilla, dataOf(), { metric: "argmin" as "argmax" }),
    ).rejects.toThrow(/metric must be one of "argmax"/);
    await expect(evalAlignment(vanilla, { ...dataOf(), length: 0 })).rejects.toThrow(/no examples/);
    await expect(evalAlignment(net as never, dataOf())).rejects.toThrow(/IntervenableModel/);
    await expect(
      evalAlignment(vanilla, dataOf(), { metric: { name: "one", values: () => tensor([1]) } }),
    ).rejects.toThrow(/one number for each example/);
  });

  test("a signal stops before the next batch", async () => {
    const stop = new AbortController();
    const done: number[] = [];
    const onProgress = (count: number): void => {
      done.push(count);
      stop.abort();
    };
    const options = { batchSize: 10, signal: stop.signal, onProgress };
    await expect(evalAlignment(vanilla, dataOf(), options)).rejects.toThrow(/abort/i);
    expect(done).toEqual([10]);
  });
});

test("a score is plain data", async () => {
  const score = await evalAlignment(alignedBy(VanillaIntervention), dataOf());
  const same = new AlignmentScore(JSON.parse(JSON.stringify(score)));
  expect(same).toEqual(score);
  expect(String(same)).toBe(String(score));
});
