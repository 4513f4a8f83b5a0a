import {
  AutoModelForCausalLM,
  AutoTokenizer,
  contrastPairs,
  type DownloadProgress,
  Effects,
  FileSourceError,
  IntervenableModel,
  InterventionError,
  LensReading,
  logitLens,
  NamedArray,
  sweep,
  type Task,
  TokenizerError,
  TsveneError,
  ZeroIntervention,
} from "tsvene";
import { type ModelWorker, startWorker, type WorkerModel } from "tsvene/worker";
import { serve } from "tsvene/worker/serve";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** Messages are real, and copied; only the thread is the same. */
function connected(): ModelWorker {
  const { port1, port2 } = new MessageChannel();
  serve({ endpoint: port1 });
  return startWorker(port2);
}

const PAIRS = [
  {
    clean: "The capital of Italy is",
    corrupt: "The capital of Spain is",
    right: " Rome",
    wrong: " Madrid",
  },
];
const SWEEP = { sites: { component: "block_input", layer: "all", position: "all" } } as const;
const PROMPT = "The capital of Spain is";

let worker: ModelWorker;
let model: WorkerModel;
beforeAll(async () => {
  worker = connected();
  model = await worker.load("tsvene-mini");
});
afterAll(() => worker.close());

async function here() {
  const [own, tokenizer] = await Promise.all([
    AutoModelForCausalLM.fromPretrained("tsvene-mini"),
    AutoTokenizer.fromPretrained("tsvene-mini"),
  ]);
  return { own, tokenizer };
}

describe("a model in a worker", () => {
  test("says what can be named in it", () => {
    const { className, layers, components, vocabulary } = model.description;
    expect([className, layers, vocabulary]).toEqual(["GPT2LMHeadModel", 5, 1766]);
    expect(components.find(({ name }) => name === "head_attention_value_output")?.heads).toBe(4);
  });

  test("sweeps as the library does, and hands on its cells", async () => {
    const { own, tokenizer } = await here();
    const expected = await sweep(own, contrastPairs(tokenizer, PAIRS), SWEEP);
    const cells: unknown[] = [];
    const progress: number[] = [];
    const effects = await model.sweep(PAIRS, SWEEP, {
      onCell: (cell, { values }) => cells.push([cell, values.values.length]),
      onProgress: (done, total) => progress.push(done / total),
    });
    expect(effects).toBeInstanceOf(Effects);
    expect(effects.values).toBeInstanceOf(NamedArray);
    expect(effects).toEqual(expected);
    expect(String(effects)).toBe(String(expected));
    expect(cells).toHaveLength(25);
    expect(progress.at(-1)).toBe(1);
  });

  test("runs configurations of plain data, with the numbers of the library", async () => {
    const { own, tokenizer } = await here();
    const zeroed = new IntervenableModel(
      { layer: 0, component: "mlp_output", intervention: ZeroIntervention },
      own,
    );
    const expected = zeroed.forward(tokenizer.tokenize(PROMPT)).intervened.logits.select(1, -1);
    const { original, intervened } = await model.forward({
      prompts: PROMPT,
      config: { layer: 0, component: "mlp_output", intervention: "ZeroIntervention" },
    });
    expect(original.top[0]?.[0]?.token).toBe(" Madrid");
    const { data, ...about } = intervened.logits;
    expect(about).toEqual({ shape: expected.shape, dtype: "float32" });
    // The worker computes both runs as one program.
    const numbers = [...(await expected.data())].map(Number);
    const differences = [...data].map((x, i) => Math.abs(Number(x) - (numbers[i] ?? NaN)));
    expect(Math.max(...differences)).toBeLessThan(1e-5);
  });

  test("reads sources, places and vectors as plain data, and texts of different lengths", async () => {
    const swap = { layer: 0, component: "block_input" };
    const prompts = [PROMPT, "Everybody knows that the capital of Spain is"];
    const sources = ["The capital of Italy is", "Everybody knows that the capital of Italy is"];
    const edited = await model.forward({
      prompts,
      config: swap,
      sources: [sources],
      unitLocations: { "sources->base": [[3], [6]] },
    });
    expect(edited.intervened.top[0]?.[0]?.token).toBe(" Rome");
    for (const [row, prompt] of prompts.entries()) {
      const alone = await model.forward({
        prompts: prompt,
        config: swap,
        sources: sources[row] ?? null,
        unitLocations: { "sources->base": row === 0 ? 3 : 6 },
      });
      for (const run of ["original", "intervened"] as const) {
        const [first, second] = [alone[run].top[0]?.[0], edited[run].top[row]?.[0]];
        expect(second?.token).toBe(first?.token);
        expect(second?.probability).toBeCloseTo(first?.probability ?? NaN, 5);
      }
    }
    const collector = { layer: 0, component: "block_input", intervention: "CollectIntervention" };
    const { collected } = await model.forward({
      prompts: "The capital of Italy is",
      config: collector,
      unitLocations: { base: 3 },
    });
    const [italy] = Object.values(collected);
    const given = await model.forward({
      prompts: PROMPT,
      config: swap,
      ...(italy && { sourceRepresentations: italy }),
      unitLocations: { base: 3 },
    });
    expect(given.intervened.top[0]?.[0]?.token).toBe(" Rome");
  });

  test("writes steered texts beside plain ones, token by token", async () => {
    const about = (country: string) =>
      ["capital", "language", "food", "king"].map((what) => `The ${what} of ${country}`);
    const parts: number[] = [];
    const { original, intervened } = await model.generate(
      {
        prompt: PROMPT,
        maxNewTokens: 3,
        steering: {
          positive: about("Italy"),
          negative: about("Spain"),
          sites: { component: "block_output", layer: 1 },
          strength: 2,
        },
      },
      { onPart: (part) => parts.push(part.intervened?.tokens.length ?? 0) },
    );
    expect(original?.text).toMatch(/^ Madrid/);
    expect(intervened?.text).toMatch(/^ Rome/);
    expect(parts).toEqual([1, 2, 3]);
  });

  test("gives readings and patterns as their classes", async () => {
    const { own, tokenizer } = await here();
    const reading = await model.logitLens(PROMPT, { k: 2 });
    expect(reading).toBeInstanceOf(LensReading);
    expect(reading).toEqual(await logitLens(own, PROMPT, { tokenizer, k: 2 }));
    const patterns = await model.attentionPatterns(PROMPT);
    expect(patterns.at({ layer: 3, head: 3, query: 4 }).values).toHaveLength(5);
    const direct = await model.directLogits(PROMPT, { right: " Madrid", wrong: " Rome" });
    expect(direct.heads.shape).toEqual([5, 4]);
    const plan = await model.explain({
      prompts: PROMPT,
      config: { layer: 1, component: "mlp_output", intervention: "ZeroIntervention" },
    });
    expect(String(plan)).toContain("transformer.h.1.mlp.output");
    const { effects } = await model.attribute(PAIRS, { sites: SWEEP.sites });
    expect(effects.change().shape).toEqual([1, 5, 5]);
  });
});

describe("what goes wrong in a worker", () => {
  test("is thrown as the same class with the same message", async () => {
    const bad = model.forward({
      prompts: PROMPT,
      config: { layer: 9, component: "mlp_output", intervention: "ZeroIntervention" },
    });
    await expect(bad).rejects.toThrow(InterventionError);
    await expect(bad).rejects.toThrow(/layer 9/);
    await expect(worker.load({ hub: "../x" })).rejects.toThrow(FileSourceError);
    await expect(worker.load({ files: { "config.json": "{" } })).rejects.toMatchObject({
      name: "FileSourceError",
    });
    await expect(model.next("")).rejects.toThrow("text 0 of 1 is empty");
    await expect(
      model.sweep([{ ...PAIRS[0], corrupt: "The capital of the Spain is" }] as never, SWEEP),
    ).rejects.toThrow("clean has 5 tokens and corrupt 6");
    await expect(model.perform({ task: "dance" } as unknown as Task)).rejects.toThrow(
      /task must be one of "describe"/,
    );
    expect(await model.tokens(PROMPT)).toMatchObject({
      tokens: ["The", " capital", " of", " Spain", " is"],
    });
    expect(TokenizerError.prototype).toBeInstanceOf(TsveneError);
  });

  test("a signal stops a text, and the next call goes on", async () => {
    const controller = new AbortController();
    let tokens = 0;
    const writing = model.generate(
      { prompt: PROMPT, maxNewTokens: 60, eosTokenId: null },
      {
        signal: controller.signal,
        onPart: () => {
          tokens += 1;
          if (tokens === 3) controller.abort(new Error("enough"));
        },
      },
    );
    await expect(writing).rejects.toThrow("enough");
    expect((await model.next(PROMPT)).top[0]?.[0]?.token).toBe(" Madrid");
    expect(tokens).toBe(3);
    await expect(model.next(PROMPT, { signal: controller.signal })).rejects.toThrow("enough");
  });

  test("a closed worker says so, and one that is gone answers nothing", async () => {
    const other = connected();
    const own = await other.load("tsvene-mini");
    await own.release();
    await expect(own.next(PROMPT)).rejects.toThrow("model 1 is not there any more");
    const waiting = other.load("tsvene-mini");
    other.close();
    await expect(waiting).rejects.toThrow("the worker was closed");
  });

  test("says how far a download is", async () => {
    const heard: DownloadProgress[] = [];
    const files = { "config.json": "{}" };
    const loading = worker.load({ files, name: "mine" }, { onProgress: (p) => heard.push(p) });
    await expect(loading).rejects.toThrow("mine");
  });
});
