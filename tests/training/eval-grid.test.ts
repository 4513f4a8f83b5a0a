import { describe, expect, test } from "vitest";
import {
  type AlignmentData,
  type AlignmentGrid,
  AlignmentTable,
  evalAlignment,
  Generator,
  GPT2LMHeadModel,
  IntervenableModel,
  Linear,
  LowRankRotatedSpaceIntervention,
  Module,
  randint,
  runtimeStats,
  SigmoidMaskIntervention,
  type Tensor,
  tensor,
  toSvg,
  zeros,
} from "tsvene";

const COUNT = 12;
const LENGTH = 4;
const generator = new Generator(4);
const gpt2 = new GPT2LMHeadModel({ nLayer: 3, nEmbd: 16, nHead: 2, vocabSize: 20 }).eval();
const draw = (): Tensor => randint(0, 20, [COUNT, LENGTH], { generator, dtype: "int64" });
const texts = { base: draw(), source: draw() };
const rows = (x: Tensor, indices: readonly number[]): Tensor => x.indexSelect(0, [...indices]);
const answers = await gpt2
  .forward({ inputIds: texts.source })
  .logits.select(1, -1)
  .argmax(-1)
  .toArray(1);

type Inputs = { readonly inputIds: Tensor };

const data: AlignmentData<Inputs> = {
  length: COUNT,
  batch: (indices) => ({
    indices,
    base: { inputIds: rows(texts.base, indices) },
    sources: { text: { inputIds: rows(texts.source, indices) } },
    labels: tensor(
      indices.map((i) => answers[i] ?? 0),
      { dtype: "int64" },
    ),
  }),
};
const grid: AlignmentGrid<GPT2LMHeadModel> = {
  model: gpt2,
  variable: "text",
  sites: { layer: "all", component: "block_output", position: [0, 2, "last"] },
};
const table = await evalAlignment(grid, data);

describe("a grid of layers and positions", () => {
  test("has a row for each site, with what the alignment there gets alone", async () => {
    expect(table.rows).toHaveLength(9);
    for (const { site, score } of table.rows) {
      const layer = Number(site.layer);
      const alone = new IntervenableModel({ name: "text", layer, component: "block_output" }, gpt2);
      const at = site.position === "last" ? "last" : Number(site.position);
      const placed: AlignmentData<Inputs> = {
        length: COUNT,
        batch: (i) => ({ ...data.batch(i), unitLocations: { "sources->base": at } }),
      };
      expect(score).toEqual(await evalAlignment(alone, placed, { otherSite: false }));
    }
  });

  test("the last layer's last position is the answer, and the other ones are nothing", () => {
    expect(table.scoreAt({ layer: 2, position: "last" }).iia).toBe(1);
    expect(table.ranked()[0]?.score.iia).toBe(1);
    const early = table.at({ layer: 2, position: [0, 2] }).rows;
    expect(early).toHaveLength(2);
    for (const { score } of early) expect(score.iia).toBe(score.controls.noEdit);
  });

  test("sites that differ in places only are compiled once", async () => {
    const before = runtimeStats().programsCompiled;
    await evalAlignment({ ...grid, sites: { ...grid.sites, position: [1, 3, 0] } }, data);
    // At most one for each layer, however many positions there are.
    expect(runtimeStats().programsCompiled - before).toBeLessThanOrEqual(3);
  });

  test("is plain data, which prints alike", () => {
    const same = AlignmentTable.fromJSON(JSON.parse(JSON.stringify(table)));
    expect(same).toEqual(table);
    expect(String(same)).toBe(String(table));
    expect(AlignmentTable.fromJSON(JSON.stringify(table))).toEqual(table);
    expect(() => AlignmentTable.fromJSON("{}")).toThrow(/no table/);
  });

  test("prints the accuracies with what they are to be compared with", () => {
    const lines = String(table).split("\n");
    expect(lines[0]).toBe("interchange accuracy (argmax)");
    expect(String(table)).toMatch(/layer 2 .*1\.000/);
    expect(String(table)).toMatch(/no edit 0\.\d+, majority 0\.\d+, full swap 0\.\d+ to 1\.000/);
  });

  test("of one site prints without empty lines", () => {
    const one = String(table.at({ layer: 2, position: "last" })).split("\n");
    expect(one.map((line) => line.trim() === "")).not.toContain(true);
    expect(one[2]?.trim()).toBe("1.000");
  });

  test("is drawn with no edit and full swap under the title", async () => {
    const svg = await toSvg(table.plot({ names: { position: ["a", "b", "the end"] } }));
    expect(svg).toContain("the end");
    expect(svg).toContain("no edit");
    expect(svg).toContain("full swap");
    expect(svg).toContain("Interchange accuracy (argmax) of text, block_output");
    const many = await evalAlignment(
      { ...grid, variable: ["text"], sites: { layer: [1, 2] } },
      data,
    );
    expect(() => many.plot({ rows: "position" })).not.toThrow();
  });
});

describe("results by site", () => {
  test("a search goes on from a table, and evaluates what is missing", async () => {
    const seen: number[] = [];
    const stop = new AbortController();
    let kept: AlignmentTable | undefined;
    const stopped = evalAlignment(grid, data, {
      signal: stop.signal,
      onCell: (_row, sofar) => {
        kept = AlignmentTable.fromJSON(JSON.stringify(sofar));
        stop.abort();
      },
    });
    await expect(stopped).rejects.toThrow(/abort/i);
    expect(kept?.rows.length).toBeGreaterThan(0);
    expect(kept?.rows.length).toBeLessThan(9);
    expect(String(kept)).toMatch(/, \d of 9 sites/);
    const whole = await evalAlignment(grid, data, {
      resume: kept as AlignmentTable,
      onProgress: (done) => seen.push(done),
    });
    expect(whole).toEqual(table);
    expect(seen).toHaveLength(9 - (kept?.rows.length ?? 0));
  });
});

describe("axes", () => {
  test("heads, at positions of the grid or of the data", async () => {
    const heads = await evalAlignment(
      {
        model: gpt2,
        variable: "text",
        sites: { layer: 1, component: "head_attention_value_output", head: "all", position: "all" },
      },
      data,
    );
    expect(heads.axes.map(({ name, values }) => [name, values.length])).toEqual([
      ["variable", 1],
      ["component", 1],
      ["layer", 1],
      ["position", LENGTH],
      ["head", 2],
    ]);
  });

  test("dimensions: all of them are the full swap, and some are compared with others", async () => {
    const some = await evalAlignment(
      {
        ...grid,
        sites: { layer: 2, position: "last", dimensions: [{ from: 0, to: 16 }, [0, 1]] },
      },
      data,
    );
    const [all, two] = some.rows;
    expect(all?.score.iia).toBe(1);
    expect(two?.score.controls.fullSwap).toBe(1);
    expect(two?.score.iia).toBeLessThan(1);
    expect(two?.score.controls.random?.n).toBe(5);
    expect(some.scoreAt({ dimensions: [0, 1] })).toBe(two?.score);
  });

  test("named positions: the data is a function of them", async () => {
    const places: Readonly<Record<string, number>> = { end: 3, start: 0 };
    const named = await evalAlignment(
      { ...grid, sites: { layer: 2, position: ["start", "end"] } },
      (position) => ({
        length: COUNT,
        batch: (i) => ({
          ...data.batch(i),
          unitLocations: { "sources->base": places[position] ?? -1 },
        }),
      }),
    );
    expect(named.scoreAt({ position: "end" }).iia).toBe(1);
    expect(named.scoreAt({ position: "start" }).iia).toBeLessThan(1);
    await expect(
      evalAlignment({ ...grid, sites: { layer: 2, position: ["end"] } }, data),
    ).rejects.toThrow(/position "end" is a name; give the data as a function/);
  });

  test("variables, each on the examples that intervene on it alone", async () => {
    const source = (i: readonly number[]) => ({ inputIds: rows(texts.source, i) });
    const two: AlignmentData<Inputs> = {
      length: COUNT,
      batch: (i) => ({
        ...data.batch(i),
        sources: { one: source(i), other: source(i) },
        rows: { one: i.map((at) => at % 3 !== 0), other: i.map((at) => at % 3 !== 1) },
      }),
    };
    const found = await evalAlignment(
      { model: gpt2, variable: ["one", "other"], sites: { layer: 2, position: "last" } },
      two,
    );
    for (const variable of ["one", "other"]) {
      expect(found.scoreAt({ variable })).toMatchObject({ iia: 1, n: 4, leftOut: 8 });
    }
    await expect(
      evalAlignment({ model: gpt2, variable: "third", sites: { layer: 0 } }, two),
    ).rejects.toThrow(/no example intervenes on third alone; .*other, one, one and other/);
  });

  test("time steps of a module by its path", async () => {
    const sum = new Running();
    const steps = await evalAlignment(
      { model: sum, variable: "sum", sites: { path: "cell.output", step: [0, 1, 2] } },
      sumData,
    );
    expect(steps.rows.map(({ score }) => score.iia === 1)).toEqual([false, true, false]);
  });
});

describe("training at each site", () => {
  test("takes data of its own, and is the same whatever was done before", async () => {
    const trained: unknown[] = [];
    const search = async (resume?: AlignmentTable): Promise<AlignmentTable> =>
      evalAlignment(
        {
          model: gpt2,
          variable: "text",
          sites: { layer: [0, 2], position: "last" },
          intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 2 }),
        },
        data,
        {
          randomDraws: 2,
          trainData: data,
          train: async (aligned, examples) => {
            trained.push(examples.length);
            await Promise.resolve(aligned);
          },
          ...(resume && { resume }),
        },
      );
    const both = await search();
    expect(trained).toEqual([COUNT, COUNT]);
    const second = await search(both.at({ layer: 0 }));
    expect(trained).toHaveLength(3);
    expect(second).toEqual(both);
  });

  test("is trainAlignment where options are given", async () => {
    const search = (steps: number): Promise<AlignmentTable> =>
      evalAlignment(
        {
          model: gpt2,
          variable: "text",
          sites: { layer: 2, position: "last" },
          intervention: SigmoidMaskIntervention,
        },
        data,
        { randomDraws: 1, trainData: data, train: { steps, batchSize: 12, lr: 0.3, seed: 1 } },
      );
    const [long] = (await search(30)).rows;
    expect(long?.score.masks[0]?.swapped).toBeGreaterThan(8);
    expect(long?.score.controls.fullSwap).toBe(1);
  });
});

describe("errors", () => {
  const at = (sites: object) => () => evalAlignment({ ...grid, sites } as AlignmentGrid, data);

  test.each<[string, () => Promise<unknown>, RegExp]>([
    ["unknown axes", at({ layers: [0] }), /sites: there is no option layers; .*layer/],
    ["no cells", at({ layer: [] }), /layer has no values, so that the grid has no cells/],
    ["a value twice", at({ layer: [0, 0] }), /layer has a value twice/],
    ["a path and a layer", at({ path: "lm_head.output", layer: 1 }), /path says the whole place/],
    ["all steps", at({ step: "all" }), /how many values of step there are is not known/],
    [
      "no variable",
      () => evalAlignment({ model: gpt2, sites: {} } as unknown as AlignmentGrid, data),
      /variable is missing/,
    ],
    [
      "training without data",
      () => evalAlignment(grid, data, { train: { steps: 1 } }),
      /trainData/,
    ],
  ])("%s", async (_what, search, message) => {
    await expect(search()).rejects.toThrow(message);
  });

  test("what a table does not have", () => {
    expect(() => table.at({ head: 1 })).toThrow(/no axis head; /);
    expect(() => table.at({ layer: 7 })).toThrow(/layer has no value 7; it has 0, 1, 2/);
    expect(() => table.scoreAt({ layer: 1 })).toThrow(/3 sites have/);
  });
});

/** h = h + x at each step. */
class Adder extends Module {
  override forward(x: Tensor, h: Tensor): Tensor {
    return h.add(x);
  }
}

/** Says which of 0 to 6 three numbers add up to. */
class Running extends Module {
  readonly cell = new Adder();
  readonly unused = new Linear(1, 1);
  override forward(x: Tensor): Tensor {
    let h = zeros([x.size(0), 1]);
    for (let step = 0; step < 3; step++) h = this.cell.forward(x.slice(1, step, step + 1), h);
    const classes = tensor([[0, 1, 2, 3, 4, 5, 6]]);
    return h.sub(classes).square().neg();
  }
}

const numbers = [0, 1].map(() => randint(0, 3, [COUNT, 3], { generator }).to("float32"));
const [baseNumbers, sourceNumbers] = await Promise.all(numbers.map((x) => x.toArray(2)));
/** The sum of the first two of the source, and the third of the base. */
const sumData: AlignmentData<Tensor> = {
  length: COUNT,
  batch: (indices) => {
    const [base, source] = numbers.map((x) => rows(x, indices)) as [Tensor, Tensor];
    const labels = indices.map((i) => {
      const [a = 0, b = 0] = sourceNumbers?.[i] ?? [];
      return a + b + (baseNumbers?.[i]?.[2] ?? 0);
    });
    return { indices, base, sources: { sum: source }, labels: tensor(labels, { dtype: "int64" }) };
  },
};
