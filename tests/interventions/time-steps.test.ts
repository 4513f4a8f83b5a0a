import {
  AdditionIntervention,
  AutoModelForSequenceClassification,
  type CausalLanguageModel,
  CollectIntervention,
  GRULMHeadModel,
  IntervenableModel,
  Linear,
  type ModelCard,
  Module,
  ones,
  randn,
  RotatedSpaceIntervention,
  stack,
  type Tensor,
  tensor,
  type UnitLocations,
  VanillaIntervention,
  ZeroIntervention,
  zeros,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { golden } from "../models/checkpoints.ts";

const WIDTH = 4;

/** A step of an LSTM, as a user would write it. */
class LSTMCell extends Module {
  readonly gates = new Linear(2 * WIDTH, 4 * WIDTH);

  override forward(x: Tensor, h: Tensor, c: Tensor): [Tensor, Tensor] {
    const joined = stack([x, h], 1).flatten(1);
    const [i, f, g, o] = this.gates.forward(joined).chunk(4, 1) as [Tensor, Tensor, Tensor, Tensor];
    const cell = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
    return [o.sigmoid().mul(cell.tanh()), cell];
  }
}

class LSTM extends Module {
  readonly cell = new LSTMCell();

  /** @param change made to the state after a step, where one is given */
  override forward(
    { x }: { readonly x: Tensor },
    change: (h: Tensor, step: number) => Tensor = (h) => h,
  ): { states: Tensor } {
    const [batch = 0, steps = 0] = x.shape;
    let [h, c] = [zeros([batch, WIDTH]), zeros([batch, WIDTH])];
    const states: Tensor[] = [];
    for (let t = 0; t < steps; t++) {
      [h, c] = this.cell.forward(x.select(1, t), h, c);
      h = change(h, t);
      states.push(h);
    }
    return { states: stack(states, 1) };
  }
}

const lstm = new LSTM().eval();
const base = { x: randn([3, 5, WIDTH]) };
const source = { x: randn([3, 7, WIDTH]) };
const AT = { component: "cell.output", unit: "t" } as const;

async function expectSame(actual: Tensor, wanted: Tensor): Promise<void> {
  expect(actual.shape).toEqual(wanted.shape);
  const [a, b] = [await actual.data(), await wanted.data()];
  a.forEach((v, i) => expect(Math.abs(Number(v) - Number(b[i]))).toBeLessThan(1e-6));
}

/** A state in which some rows have another value. */
function replaced(h: Tensor, rows: readonly (Tensor | undefined)[]): Tensor {
  return stack(rows.map((value, row) => value ?? h.select(0, row)), 0); // prettier-ignore
}

describe("an LSTM, by a module's path", () => {
  test("each row has its own steps, in the source and in the base", async () => {
    const intervenable = new IntervenableModel({ ...AT, intervention: VanillaIntervention }, lstm);
    const from = [[6, 0], [2, 3], [1, 1]]; // prettier-ignore
    const to = [[3, 1], [0, 4], [2, 0]]; // prettier-ignore
    const result = intervenable.forward(base, {
      sources: [source],
      unitLocations: { "sources->base": { source: from, base: to } },
    });
    const read = lstm.forward(source).states;
    const wanted = lstm.forward(base, (h, t) =>
      replaced(
        h,
        to.map((steps, row) => {
          const unit = steps.indexOf(t);
          return unit < 0 ? undefined : read.select(0, row).select(0, from[row]?.[unit] ?? 0);
        }),
      ),
    );
    await expectSame(result.intervened.states, wanted.states);
    await expectSame(result.original.states, lstm.forward(base).states);
  });

  test("rows may have different numbers of steps, or none", async () => {
    const intervenable = new IntervenableModel({ ...AT, intervention: ZeroIntervention }, lstm);
    const to = [[3, 1], [], [4]]; // prettier-ignore
    const result = intervenable.forward(base, { unitLocations: { base: to } });
    const zero = zeros([WIDTH]);
    const wanted = lstm.forward(
      base,
      (h, t) =>
      replaced(h, to.map((steps) => (steps.includes(t) ? zero : undefined))), // prettier-ignore
    );
    await expectSame(result.intervened.states, wanted.states);
  });

  test("without places every step is edited, with what the source had at it", async () => {
    const shorter = { x: source.x.slice(1, 0, 5) };
    const intervenable = new IntervenableModel({ ...AT, intervention: AdditionIntervention }, lstm);
    const result = intervenable.forward(base, { sources: [shorter] });
    const read = lstm.forward(shorter).states;
    const wanted = lstm.forward(base, (h, t) => h.add(read.select(1, t)));
    await expectSame(result.intervened.states, wanted.states);
  });

  test('"all" steps of a row are the same as no places', async () => {
    const intervenable = new IntervenableModel({ ...AT, intervention: ZeroIntervention }, lstm);
    const some = intervenable.forward(base, { unitLocations: { base: "all" } });
    await expectSame(some.intervened.states, zeros([3, 5, WIDTH]));
  });

  test("collected values are those after earlier edits, from the end too", async () => {
    const intervenable = new IntervenableModel(
      [
        { ...AT, intervention: ZeroIntervention },
        { ...AT, intervention: CollectIntervention },
      ],
      lstm,
    );
    const result = intervenable.forward(base, {
      unitLocations: { base: { each: [[[2], [2], [2]], [[2, 3], [0, 4], [-1, -2]]] } }, // prettier-ignore
    });
    const states = lstm.forward(base, (h, t) => (t === 2 ? h.mul(0) : h)).states;
    const at = [[2, 3], [0, 4], [4, 3]]; // prettier-ignore
    const wanted = stack(
      at.map((steps, row) => stack(steps.map((t) => states.select(0, row).select(0, t)), 0)), // prettier-ignore
      0,
    );
    await expectSame(result.collected[0] ?? wanted.mul(NaN), wanted);
  });

  test("a source of one row serves all", async () => {
    const one = { x: source.x.slice(0, 0, 1) };
    const intervenable = new IntervenableModel({ ...AT, intervention: VanillaIntervention }, lstm);
    const result = intervenable.forward(base, {
      sources: [one],
      unitLocations: { "sources->base": { source: [[6]], base: [[1], [3], [4]] } },
    });
    const read = lstm.forward(one).states.select(1, 6).select(0, 0);
    const wanted = lstm.forward(
      base,
      (h, t) =>
      replaced(h, [1, 3, 4].map((step) => (step === t ? read : undefined))), // prettier-ignore
    );
    await expectSame(result.intervened.states, wanted.states);
  });

  test("a rotation is learned through steps", async () => {
    const intervenable = new IntervenableModel(
      { ...AT, intervention: RotatedSpaceIntervention.with({ embedDim: WIDTH }) },
      lstm,
    );
    const result = intervenable.forward(base, {
      sources: [source],
      unitLocations: { "sources->base": { source: [[6], [2], [1]], base: [[3], [0], [2]] } },
    });
    const read = lstm.forward(source).states;
    const wanted = lstm.forward(base, (h, t) =>
      replaced(
        h,
        [[3, 6], [0, 2], [2, 1]] // prettier-ignore
          .map(([to, from = 0], row) =>
            to === t ? read.select(0, row).select(0, from) : undefined,
          ),
      ),
    );
    const states = result.intervened.states;
    expect(states.shape).toEqual(wanted.states.shape);
    // A whole rotated space is exchanged, which is the same as the space itself.
    const [a, b] = [await states.data(), await wanted.states.data()];
    a.forEach((v, i) => expect(Number(v)).toBeCloseTo(Number(b[i]), 4));
  });
});

test("a card's components are recurrent where it says so", async () => {
  class Carded extends LSTM {
    static readonly card: ModelCard<object, "state"> = {
      layers: () => 1,
      components: {
        state: { path: "cell", side: "output", recurrent: true, dimension: () => WIDTH },
      },
    };
    readonly config = {};
  }
  const model = new Carded().eval();
  const config = {
    layer: 0,
    component: "state",
    unit: "t",
    intervention: ZeroIntervention,
  } as const;
  const { intervened } = new IntervenableModel(config, model).forward(base, {
    unitLocations: { base: 4 },
  });
  const { states } = intervened;
  await expectSame(states.select(1, 4), zeros([3, WIDTH]));
  await expectSame(states.slice(1, 0, 4), model.forward(base).states.slice(1, 0, 4));
});

test("a third of a fused projection of pyvene's GRU", async () => {
  const model = await AutoModelForSequenceClassification.fromPretrained(golden("gru_classifier"));
  const inputsEmbeds = ones([2, 3, 16]);
  const config = { layer: 0, component: "new_h2h_output", unit: "t", intervention: CollectIntervention } as const; // prettier-ignore
  const some = new IntervenableModel(config, model).forward(
    { inputsEmbeds },
    {
      unitLocations: {
        base: [
          [2, 0],
          [1, 1],
        ],
      },
    },
  );
  expect(some.collected[0]?.shape).toEqual([2, 2, 16]);
});

describe("what cannot be", () => {
  const zero = new IntervenableModel({ ...AT, intervention: ZeroIntervention }, lstm);
  const forward = (unitLocations: UnitLocations) => () => zero.forward(base, { unitLocations });

  test("steps that are not reached, are named twice, or count from an end that is not known", () => {
    expect(forward({ base: 5 })).toThrow(/never fires: step 5 is out of range, there are 5/);
    expect(forward({ base: [[1, 1], [2, 3], [0, 4]] })).toThrow(/names a step twice: 1, 1/); // prettier-ignore
    expect(forward({ base: [[-1], [0], [0]] })).toThrow(/step -1: steps to edit are counted from/); // prettier-ignore
  });

  test("several steps as one vector", () => {
    const rotated = new IntervenableModel(
      { ...AT, intervention: RotatedSpaceIntervention.with({ embedDim: 8 }), maxNumberOfUnits: 2 }, // prettier-ignore
      lstm,
    );
    const run = () =>
      rotated.forward(base, {
        sources: [source],
        unitLocations: { "sources->base": [[0, 1], [0, 1], [0, 1]] }, // prettier-ignore
      });
    expect(run).toThrow(/sees the units of a row as one vector, but time steps come one after/);
  });

  test("another unit where a module runs at each step", () => {
    const config = { component: "cell.output", intervention: ZeroIntervention };
    expect(() => new IntervenableModel(config, lstm).forward(base)).toThrow(
      /cell runs more than once in a pass, .*; use unit "t"/,
    );
  });

  test("time steps while a text is written", async () => {
    const model: CausalLanguageModel = await GRULMHeadModel.fromPretrained(golden("gru_lm"));
    const config = { layer: 0, component: "cell_output", unit: "t", intervention: ZeroIntervention } as const; // prettier-ignore
    const inputIds = tensor([[1, 2]], { dtype: "int64" });
    const written = new IntervenableModel(config, model).generate(
      { inputIds },
      { maxNewTokens: 3 },
    );
    await expect(written).rejects.toThrow(/unit "t" counts the time steps of one pass/);
  });
});
