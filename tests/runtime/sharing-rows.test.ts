import {
  BatchNorm1d,
  cardOf,
  configureRuntime,
  evaluate,
  functional,
  IntervenableModel,
  type InterventionLike,
  Linear,
  resetStats,
  runtimeStats,
  type Tensor,
  tensor,
  VanillaIntervention,
  ZeroIntervention,
} from "tsvene";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  loadRecorded,
  type Model,
  plainInputs,
  tensorsIn,
} from "../../scripts/parity/recorded-model.ts";
import { evaluateSharingRows } from "../../src/runtime/evaluate-sharing-rows.ts";
import { TINY, tinyGpt2 } from "../interventions/tiny-gpt2.ts";
import { golden } from "../models/checkpoints.ts";

/** The numbers of one row, as often as there are rows. */
function repeated(t: Tensor, row: number, rows: number): Tensor {
  const values = t.values ?? [];
  const width = t.numel / t.size(0);
  const data = Array.from({ length: rows * width }, (_, i) => Number(values[row * width + (i % width)])); // prettier-ignore
  return tensor(data, { shape: [rows, ...t.shape.slice(1)], dtype: t.dtype });
}

type Inputs = Readonly<Record<string, Tensor>>;

function repeatedInputs(inputs: Inputs, row: number, rows: number): Inputs {
  const wanted = Object.entries(inputs).filter(([name]) => name !== "labels");
  return Object.fromEntries(
    wanted.map(([name, t]) => [name, repeated(t, Math.min(row, t.size(0) - 1), rows)]),
  );
}

interface Sweep {
  readonly model: Model;
  readonly component: string;
  readonly layers: readonly number[];
  /** Undefined for whole tensors. */
  readonly positions: readonly number[] | undefined;
  readonly intervention?: InterventionLike;
  readonly inputs: Inputs;
}

/** The first output of a batch with one cell of layers and positions a row, and how many rows there are. */
function swept({ model, component, layers, positions, inputs, intervention = VanillaIntervention }: Sweep): [Tensor, number] {
  const cells = layers.flatMap((layer) => (positions ?? [0]).map((at) => ({ layer, at })));
  const isRecurrent = cardOf(model)?.components.get(component)?.recurrent === true;
  const edited = new IntervenableModel<Model>(
    layers.map((layer) => ({ layer, component, intervention, ...(isRecurrent ? { unit: "t" } : {}) })),
    model,
  );
  const places = cells.map(({ at }) => [at]);
  const isPatch = intervention === VanillaIntervention;
  const { intervened } = edited.forward(repeatedInputs(inputs, 0, cells.length), {
    ...(isPatch ? { sources: repeatedInputs(inputs, 1, cells.length) } : {}),
    ...(positions && { unitLocations: { [isPatch ? "sources->base" : "base"]: places } }),
    rows: Object.fromEntries(
      edited.names.map((name, i) => [name, cells.map(({ layer }) => layer === layers[i])]),
    ),
  });
  const [output] = tensorsIn(intervened);
  if (output === undefined) throw new Error("no output");
  return [output, cells.length];
} // prettier-ignore

/** Computes a sweep both ways, and says what share of the multiply-adds remains. */
async function remaining(sweep: Sweep): Promise<number> {
  const [[expected], [actual, rows]] = [swept(sweep), swept(sweep)];
  resetStats();
  await evaluate(expected);
  const all = runtimeStats().multiplyAdds;
  resetStats();
  await evaluateSharingRows([actual], rows);
  const { multiplyAdds } = runtimeStats();
  const distance = await expected.sub(actual).abs().amax().item();
  const size = await expected.abs().amax().item();
  expect(distance).toBeLessThanOrEqual(1e-6 * Math.max(1, size));
  return multiplyAdds / all;
}

/** The place that is swept, and the share of the multiply-adds that may remain. */
const FAMILIES: Readonly<Record<string, { readonly component?: string; readonly most: number }>> = {
  gpt2: { most: 0.3 },
  llama: { most: 0.31 },
  gemma2: { most: 0.3 },
  falcon: { most: 0.38 },
  mixtral: { most: 0.3 },
  bert: { most: 0.33 },
  mamba: { most: 0.31 },
  rwkv: { most: 0.31 },
  vit: { most: 0.27 },
  t5: { component: "encoder.block_output", most: 0.5 },
  whisper: { component: "decoder.block_output", most: 0.5 },
  mllama: { component: "language.block_output", most: 0.2 },
  resnet: { component: "stage_output", most: 0.6 },
  convnext: { component: "stage_output", most: 0.6 },
  gru_lm: { component: "cell_output", most: 0.6 },
};

describe("a sweep of layers and positions is rows of one batch, computed as a staircase", () => {
  test.each(Object.entries(FAMILIES))(
    "of %s",
    async (name, { component = "block_output", most }) => {
      const [model, inputs] = [await loadRecorded(golden(name)), await plainInputs(golden(name))];
      const { path = "" } = cardOf(model)?.components.get(component) ?? {};
      const modules = new Set([...model.namedModules()].map(([own]) => own));
      const layers = [0, 1, 2, 3, 4].filter((layer) => (layer === 0 || path.includes("{layer}")) && modules.has(path.replace("{layer}", String(layer)))); // prettier-ignore
      const sweep = { model, inputs, component, layers };
      expect(await remaining({ ...sweep, positions: [0, 1, 2] })).toBeLessThan(most);
    },
  );

  const model = tinyGpt2() as unknown as Model;
  const [T, L, d, V] = [6, TINY.nLayer, TINY.nEmbd, TINY.vocabSize];
  const positions = Array.from({ length: T }, (_, at) => at);
  const layers = Array.from({ length: L }, (_, layer) => layer);
  const inputIds = tensor([[3, 1, 4, 1, 5, 9], [9, 8, 7, 6, 5, 4]], { dtype: "int64" }); // prettier-ignore
  const sweep = { model, component: "block_output", layers, positions, inputs: { inputIds } };
  /** Multiply-adds of a layer, and of the unembedding, for one row. */
  const [layer, unembedding] = [T * (12 * d * d + 2 * T * d), T * d * V];
  const stairs = layers.reduce((sum, l) => sum + 1 + l * T, 0);

  test.each<[string, Partial<Sweep>, number]>([
    ["its source a row that goes up beside it", {}, (stairs + L) * layer + L * T * unembedding],
    [
      "without a source",
      { intervention: ZeroIntervention },
      stairs * layer + L * T * unembedding,
    ],
    [
      "whole layers, where nothing reads what is not edited",
      { positions: undefined, intervention: ZeroIntervention },
      ((L * (L - 1)) / 2) * layer + L * unembedding,
    ],
  ])("exactly, %s", async (_, changes, wanted) => {
    const [logits, rows] = swept({ ...sweep, ...changes });
    resetStats();
    await evaluateSharingRows([logits], rows);
    expect(runtimeStats().multiplyAdds).toBe(wanted);
    expect(await remaining({ ...sweep, ...changes })).toBeLessThan(1);
  }); // prettier-ignore

  test("of attention outputs and MLP outputs, after which the rest of the layer is computed anew", async () => {
    expect(await remaining({ ...sweep, component: "attention_output" })).toBeLessThan(0.45);
    expect(await remaining({ ...sweep, component: "mlp_output" })).toBeLessThan(0.4);
  });

  test("which is the same program for other cells, texts and numbers of positions", async () => {
    const run = async (part: Partial<Sweep>): Promise<void> => {
      const [logits, rows] = swept({ ...sweep, ...part });
      await evaluateSharingRows([logits.select(1, -1)], rows);
    };
    // Weights are not built in, which makes a program of its own.
    configureRuntime({ maxWeightBytes: 0 });
    onTestFinished(() => configureRuntime({ maxWeightBytes: 2 ** 30 }));
    await evaluate(...model.parameters().map((p) => p.value));
    await run({});
    resetStats();
    const others = [[5, 5, 5, 5, 5, 2, 1], [1, 2, 3, 4, 5, 6, 7]]; // prettier-ignore
    for (const part of [
      { positions: [5, 3, 1, 0, 2, 4] },
      { inputs: { inputIds: tensor([[2, 2, 7, 1, 8, 3], [1, 1, 2, 3, 5, 8]], { dtype: "int64" }) } }, // prettier-ignore
      { inputs: { inputIds: tensor(others, { dtype: "int64" }) } },
      {
        positions: [0, 1, 2, 3, 4, 5, 6],
        inputs: { inputIds: tensor(others, { dtype: "int64" }) },
      },
    ]) {
      await run(part);
      expect([part, runtimeStats().programsCompiled]).toEqual([part, 0]);
    }
  });

  test("of the second half of a text, whose first half is read once", async () => {
    const cells = layers.flatMap((layer) => [3, 4, 5].map((at) => ({ layer, at })));
    const edited = new IntervenableModel<Model>(
      layers.map((layer) => ({ layer, component: "block_output", intervention: VanillaIntervention })),
      model,
    );
    const logits = (reusePrefix: boolean): Tensor => {
      const { intervened } = edited.forward(repeatedInputs({ inputIds }, 0, cells.length), {
        sources: repeatedInputs({ inputIds }, 1, cells.length),
        unitLocations: { "sources->base": cells.map(({ at }) => [at]) },
        rows: Object.fromEntries(
          edited.names.map((name, i) => [name, cells.map(({ layer }) => layer === i)]),
        ),
        reusePrefix,
      });
      return (intervened as unknown as { readonly logits: Tensor }).logits.select(1, -1);
    };
    const work = async (reusePrefix: boolean): Promise<[Tensor, number]> => {
      const made = logits(reusePrefix);
      resetStats();
      await evaluateSharingRows([made], cells.length);
      return [made, runtimeStats().multiplyAdds];
    };
    const [[whole, many], [half, few]] = [await work(false), await work(true)];
    expect(await whole.sub(half).abs().amax().item()).toBeLessThan(1e-5);
    expect(few).toBeLessThan(0.75 * many);
  }); // prettier-ignore

  test("and leaves alone what mixes rows, or is drawn for each", async () => {
    const x = tensor([[1, 2], [1, 2], [1, 2]]); // prettier-ignore
    const [norm, linear] = [new BatchNorm1d(2), new Linear(2, 2)];
    const work = async (t: Tensor): Promise<number> => {
      resetStats();
      await evaluateSharingRows([linear.forward(t)], 3);
      return runtimeStats().multiplyAdds / 4;
    };
    expect(await work(x.exp())).toBe(1);
    expect(await work(norm.eval().forward(x))).toBe(1);
    expect(await work(norm.train().forward(x))).toBe(1);
    const some = tensor([[1, 2], [1, 2], [3, 4]]); // prettier-ignore
    expect(await work(norm.train().forward(some))).toBe(2);
    expect(await work(functional.dropout(x, 0.5))).toBeGreaterThan(1);
  });
});
