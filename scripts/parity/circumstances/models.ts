import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  AutoModelForCausalLM,
  type CausalLanguageModel,
  type GenerateOptions,
  stack,
  type Tensor,
  tensor,
} from "tsvene";
import type { CaseResult } from "../case-result.ts";
import { compare, type Comparison, resultOf } from "../compare.ts";
import { casesOf, modelsOf, type Numbers, type Recorded } from "./recorded.ts";
import { circumstance, exactly } from "./verdict.ts";

/** Recorded logits have seven digits. */
const TOLERANCE = 2e-4;

function ids(rows: unknown): Tensor {
  return tensor(rows as number[][], { dtype: "int64" });
}

function numbers(values: unknown): Tensor {
  return tensor(values as Numbers as number[]);
}

function load(directory: string, name: string): Promise<CausalLanguageModel> {
  return AutoModelForCausalLM.fromPretrained(join(directory, name));
}

function near(what: string, actual: Tensor, wanted: unknown): Promise<Comparison> {
  return compare(what, actual, numbers(wanted), { tolerance: TOLERANCE });
}

/** The texts that `generate` gave, as numbers. */
async function listed(sequences: Tensor): Promise<number[][]> {
  return ((await sequences.toArray()) as unknown as (number | bigint)[][]).map((row) =>
    row.map(Number),
  );
}

/** Directories that are there; others were right, and are not kept. */
function there(
  directory: string,
  cases: readonly [name: string, settings: Recorded][],
): readonly [name: string, settings: Recorded][] {
  return cases.filter(([name]) => existsSync(join(directory, name)));
}

/** Whether each row of a left-padded batch is what it is alone. */
export function leftPadded(directory: string, recorded: Recorded): Promise<CaseResult>[] {
  const [short, long] = [recorded["short"], recorded["long"]] as [number[], number[]];
  const width = Math.max(short.length, long.length);
  const pad = (row: readonly number[], value: number): number[] => [
    ...Array<number>(width - row.length).fill(value),
    ...row,
  ];
  const inputIds = ids([pad(short, 0), pad(long, 0)]);
  const ones = [short, long].map((row) => row.map(() => 1));
  const attentionMask = ids(ones.map((row) => pad(row, 0)));
  return there(directory, modelsOf(recorded)).map(([name, settings]) =>
    circumstance(name, async () => {
      const model = await load(directory, name);
      const last = model.forward({ inputIds, attentionMask }).logits.select(1, -1);
      const alone = model.forward({ inputIds: ids([short]) }).logits.select(1, -1);
      const { alone: wanted, fixed } = settings;
      return resultOf(name, [
        await near("short alone", alone.select(0, 0), wanted),
        await near("padded", last, fixed),
      ]);
    }),
  );
}

/** Whether a text is continued with a cache as it is without one. */
export function cached(directory: string, recorded: Recorded): Promise<CaseResult>[] {
  const { prompt } = recorded;
  const runs = there(directory, modelsOf(recorded)).flatMap(([name, settings]) =>
    [true, false].map((useCache) => ({ name, settings, useCache })),
  );
  return runs.map(({ name, settings, useCache }) => {
    const which = `${name}/${useCache ? "cached" : "uncached"}`;
    return circumstance(which, async () => {
      const model = await load(directory, name);
      const { uncached, uncached_logits: wanted } = settings;
      const maxNewTokens = (uncached as number[]).length - (prompt as number[]).length;
      const options = { maxNewTokens, useCache, outputLogits: true, eosTokenId: null };
      const { sequences, logits = [] } = await model.generate({ inputIds: ids([prompt]) }, options);
      const tokens = exactly(which, "tokens", (await listed(sequences))[0], uncached);
      if (tokens.failed) return tokens;
      return resultOf(which, [await near("logits", stack(logits, 0), squeezed(wanted))]);
    });
  });
}

/** Logits of steps, [steps, rows, vocabulary], from recordings with and without the rows. */
function squeezed(logits: unknown): Numbers {
  const steps = logits as readonly (readonly Numbers[])[];
  return steps.map((step) => (Array.isArray(step[0]) ? step : [step]));
}

/** Whether the settings of a checkpoint act: logits of one text, of all positions or the last. */
export function logits(directory: string, recorded: Recorded): Promise<CaseResult>[] {
  const inputIds = ids(recorded["ids"] ?? recorded["x"]);
  return there(directory, casesOf(recorded)).map(([name, { logits: wanted, error }]) =>
    circumstance(
      name,
      async () => {
        const model = await load(directory, name);
        const all = model.forward({ inputIds }).logits;
        const expected = numbers(wanted ?? [[]]);
        const actual = expected.shape.length === 2 ? all.select(1, -1) : all;
        return resultOf(name, [await near("logits", actual, wanted ?? [[]])]);
      },
      { refused: error !== undefined },
    ),
  );
}

/** Whether `generation_config.json` is obeyed. */
export function generation(directory: string, recorded: Recorded): Promise<CaseResult>[] {
  const prompt = recorded["prompt"] as number[];
  return there(directory, casesOf(recorded)).map(([name, { want, options, sampled }]) =>
    circumstance(name, async () => {
      const model = await load(directory, name);
      const given = (options ?? {}) as GenerateOptions;
      const { sequences } = await model.generate({ inputIds: ids([prompt]) }, given);
      const [text = []] = await listed(sequences);
      const tokens = text.slice(prompt.length);
      // Another generator draws other tokens; as many of them, though.
      const length = (want as number[]).length;
      return sampled === true
        ? exactly(name, "length", tokens.length, length)
        : exactly(name, "tokens", tokens, want);
    }),
  );
}
