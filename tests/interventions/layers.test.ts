import {
  CollectIntervention,
  Embedding,
  evaluate,
  GRU,
  GRUCell,
  IntervenableModel,
  Linear,
  LSTM,
  Module,
  randn,
  RotatedSpaceIntervention,
  stack,
  type Tensor,
  tensor,
  TransformerEncoder,
  VanillaIntervention,
  ZeroIntervention,
} from "tsvene";
import { describe, expect, test } from "vitest";

const [B, T, D, H] = [3, 5, 4, 6];

async function expectSame(actual: Tensor, wanted: Tensor): Promise<void> {
  expect(actual.shape).toEqual(wanted.shape);
  const off = actual.sub(wanted).abs().amax();
  await evaluate(off);
  expect(await off.item()).toBeLessThan(1e-6);
}

/** A reader of [batch, steps, width] with a head on its last output. */
class Reader<M extends GRU | LSTM> extends Module {
  readonly head = new Linear(H, 2);
  readonly rnn: M;

  constructor(rnn: M) {
    super();
    this.rnn = rnn;
  }

  override forward({ x }: { readonly x: Tensor }): { logits: Tensor; states: Tensor } {
    const [states] = this.rnn.forward(x);
    return { logits: this.head.forward(states.select(1, -1)), states };
  }
}

const base = { x: randn([B, T, D]) };
const source = { x: randn([B, T, D]) };

describe("steps of recurrent layers", () => {
  const gru = new Reader(new GRU(D, H, { numLayers: 2 })).eval();
  const lstm = new Reader(new LSTM(D, H)).eval();

  test("a GRU's state at a step is the source's, and the rest follows from it", async () => {
    const place = { component: "rnn.cells[1].output", unit: "t" } as const;
    const model = new IntervenableModel({ ...place, intervention: VanillaIntervention }, gru);
    const { intervened } = model.forward(base, {
      sources: source,
      unitLocations: { "sources->base": 2 },
    });
    const [states] = gru.rnn.forward(base.x);
    await expectSame(intervened.states.slice(1, 0, 2), states.slice(1, 0, 2));
    await expectSame(intervened.states.select(1, 2), gru.rnn.forward(source.x)[0].select(1, 2));
    // What follows is the top layer's cell on the lower layer's outputs, from the state put in.
    const lower = new IntervenableModel(
      { component: "rnn.cells[0].output", unit: "t", intervention: CollectIntervention },
      gru,
    ).forward(base).collected[0];
    const next = gru.rnn.cells.at(1).forward(lower?.select(1, 3) ?? states, intervened.states.select(1, 2)); // prettier-ignore
    await expectSame(intervened.states.select(1, 3), next);
  });

  test("an LSTM's cell state is a place beside its output", async () => {
    const place = { component: "rnn.cells[0].cell_state.output", unit: "t" } as const;
    const model = new IntervenableModel({ ...place, intervention: ZeroIntervention }, lstm);
    const { intervened } = model.forward(base, { unitLocations: { base: 3 } });
    await expectSame(intervened.states.select(1, 3), tensor(0).expand([B, H]));
    const fresh = lstm.rnn.forward(base.x.select(1, 4).unsqueeze(1))[0].select(1, 0);
    // From h = 0 and c = 0 on it reads as if the text began there.
    await expectSame(intervened.states.select(1, 4), fresh);
  });

  test("a gate, in rows at their own steps", async () => {
    const place = { component: "rnn.cells[0].update_act.output", unit: "t" } as const;
    const model = new IntervenableModel({ ...place, intervention: CollectIntervention }, gru);
    const at = [[0], [4], [2]]; // prettier-ignore
    const { collected } = model.forward(base, { unitLocations: { base: at } });
    expect(collected[0]?.shape).toEqual([B, 1, H]);
  });

  test("the width is known before the model runs", () => {
    const place = { component: "rnn.cells[1].output", unit: "t" } as const;
    const rotated = { ...place, intervention: RotatedSpaceIntervention };
    const model = new IntervenableModel(rotated, gru);
    expect(model.trainableParameters().map(({ shape }) => shape)).toEqual([[H, H]]);
  });

  test("a cell that a module runs itself", async () => {
    class Sum extends Module {
      readonly embed = new Embedding(10, 8);
      readonly cell = new GRUCell(8, H);
      override forward({ ids }: { readonly ids: Tensor }): Tensor {
        const states: Tensor[] = [];
        for (let t = 0; t < 3; t++) {
          states.push(this.cell.forward(this.embed.forward(ids.select(1, t)), states.at(-1)));
        }
        return stack(states, 1);
      }
    }
    const sum = new Sum();
    const ids = (...rows: number[][]) => ({ ids: tensor(rows, { dtype: "int64" }) });
    const [one, two] = [ids([1, 2, 3]), ids([4, 5, 6])];
    const place = {
      component: "cell.output",
      unit: "t",
      intervention: VanillaIntervention,
    } as const;
    const { intervened } = new IntervenableModel(place, sum).forward(one, {
      sources: two,
      unitLocations: { "sources->base": { source: 1, base: 1 } },
    });
    await expectSame(intervened.select(1, 1), sum.forward(two).select(1, 1));
  });
});

describe("heads of a transformer encoder", () => {
  class Model extends Module {
    readonly encoder = new TransformerEncoder(8, 2, 2, { dimFeedforward: 16, dropout: 0 });
    override forward({ x }: { readonly x: Tensor }): Tensor {
      return this.encoder.forward(x, { isCausal: true });
    }
  }
  const model = new Model().eval();
  const [x, y] = [{ x: randn([2, 4, 8]) }, { x: randn([2, 4, 8]) }];
  const attention = "encoder.layers[0].self_attn";

  test("what one head gives at one position", async () => {
    const component = `${attention}.heads.output` as const;
    const place = { component, unit: "h.pos", intervention: CollectIntervention } as const;
    const [all] = new IntervenableModel({ ...place, unit: "h" }, model).forward(x, {
      unitLocations: { base: "all" },
    }).collected;
    expect(all?.shape).toEqual([2, 2, 4, 4]);
    const edited = new IntervenableModel(
      [
        { ...place, intervention: VanillaIntervention },
        { ...place, unit: "h" },
      ],
      model,
    ).forward(x, {
      sources: y,
      unitLocations: {
        "sources->base": { each: [{ head: 1, position: 3 }, { head: "all" }] },
      },
    });
    const [seen = x.x] = edited.collected;
    await expectSame(seen.select(1, 0), (all ?? x.x).select(1, 0));
    await expectSame(seen.slice(2, 0, 3), (all ?? x.x).slice(2, 0, 3));
    expect(
      await seen
        .sub(all ?? x.x)
        .abs()
        .sum()
        .item(),
    ).toBeGreaterThan(0.01);
  });

  test("attention weights, and the attention's input", async () => {
    const weights = new IntervenableModel(
      {
        component: `${attention}.weights.output`,
        unit: "h.pos",
        intervention: CollectIntervention,
      },
      model,
    ).forward(x, { unitLocations: { base: { head: 0, position: 2 } } }).collected[0];
    expect(weights?.shape).toEqual([2, 1, 1, 4]);
    await expectSame((weights ?? x.x).sum({ dim: -1 }), tensor(1).expand([2, 1, 1]));
    await expectSame((weights ?? x.x).select(3, 3), tensor(0).expand([2, 1, 1]));
    const wholly = new IntervenableModel(
      { component: `${attention}.input`, intervention: VanillaIntervention },
      model,
    ).forward(x, { sources: y, unitLocations: null });
    const mixed = model.encoder.layers
      .at(0)
      .self_attn.forward(y.x, y.x, y.x, { isCausal: true })[0];
    const read = new IntervenableModel(
      [
        { component: `${attention}.input`, intervention: VanillaIntervention },
        { component: `${attention}.output`, intervention: CollectIntervention },
      ],
      model,
    ).forward(x, { sources: y, unitLocations: null }).collected[0];
    // Queries, keys and values alike are of the source.
    await expectSame(read ?? x.x, mixed);
    expect(wholly.intervened.shape).toEqual([2, 4, 8]);
  });
});
