import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { partsOf, range } from "../../base/lists.ts";
import type { RepresentationConfig } from "../../intervenable/config/representation-config.ts";
import { axesOf, sitesOf } from "../../intervenable/grid/grid-axes.ts";
import { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import { VanillaIntervention } from "../../interventions/vanilla.ts";
import { CausalLanguageModel } from "../../models/model/causal-language-model.ts";
import type { GenerateInputs } from "../../models/generation/options.ts";
import { Module } from "../../nn/module.ts";
import { logSoftmax } from "../../nn/functional/activations.ts";
import { evaluateSharingRows } from "../../runtime/evaluate-sharing-rows.ts";
import { logitsOf } from "../../training/alignment/logits-of.ts";
import { tokensRead } from "../../tokenizers/next-token.ts";
import { inputRows } from "../data/input-rows.ts";
import { type OneText, oneText, positionAxis, type TextInputs, type TextTokenizer } from "../data/one-text.ts"; // prettier-ignore
import { NamedArray } from "../results/named-array.ts";
import type { NamedAxis } from "../results/named-axis.ts";
import { readNumbers } from "../results/read-numbers.ts";
import { PatchscopeReading } from "./patchscope-reading.ts";

/** Which states are read, and where they are put. */
export interface PatchscopeOptions {
  /** What texts are read with, and tokens are written with. @default ids are written as numbers */
  readonly tokenizer?: TextTokenizer;
  /** The prompt that a state is put into. @default {@link identityPrompt} */
  readonly target?: TextInputs;
  /** The states that are read. @default "block_output" */
  readonly component?: string;
  /** Their layers. @default all */
  readonly layer?: number | readonly number[] | "all";
  /** Their positions in the source. @default all */
  readonly position?: number | readonly number[] | "last" | "all";
  /** The layer that they are put into. @default the one that each was read in */
  readonly targetLayer?: number | "same";
  /** The position of the target that they are put at. @default "last" */
  readonly targetPosition?: number | "last";
  /** How many of the likeliest next tokens are kept. @default 5, or the vocabulary's size if that is less */
  readonly k?: number;
  /** How many tokens the model writes after each edited prompt. @default none */
  readonly maxNewTokens?: number;
}

const OP = "patchscope";
const OPTIONS: OptionNames<PatchscopeOptions> = {
  tokenizer: true,
  target: true,
  component: true,
  layer: true,
  position: true,
  targetLayer: true,
  targetPosition: true,
  k: true,
  maxNewTokens: true,
};
/** How many prompts are run in one program. */
const ROWS = 64;

/** A state that is read, by the numbers of its layer and its position. */
interface Cell {
  readonly layer: number;
  readonly position: number;
}

/** What was asked for, with both prompts as the model reads them. */
interface Asked {
  readonly model: Module;
  readonly options: PatchscopeOptions;
  readonly source: OneText;
  readonly target: OneText;
  readonly layers: readonly number[];
  readonly positions: readonly number[];
}

/**
 * A prompt that says each word again, and ends where it is to be said what was put there
 * (Ghandeharioun and others, 2024).
 */
export function identityPrompt(words: readonly string[] = ["cat", "135", "hello"]): string {
  return `${words.map((word) => `${word}->${word}`).join("; ")}; ?`;
}

/**
 * Reads a state with the model itself (Ghandeharioun and others, 2024): a state of the source prompt is put
 * into another prompt, and what the model then says tells what is in it. Each is one interchange
 * intervention; all of them are rows of a few programs.
 *
 * @param inputs - The source: a text, or what the model's `forward` takes, of one row.
 * @throws TsveneError for layers and positions that are not there, and texts without a tokenizer.
 *
 * @example
 * ```ts
 * import { AutoModelForCausalLM, AutoTokenizer, patchscope } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const reading = await patchscope(model, "The capital of Italy is", {
 *   tokenizer,
 *   target: "The capital of Spain is",
 *   component: "block_input",
 *   targetPosition: 3,
 * });
 * console.log(String(reading));
 * console.log(reading.top({ layer: 0, position: 3 })[0]?.token); // " Rome"
 * ```
 */
export async function patchscope(
  model: Module,
  inputs: TextInputs,
  options: PatchscopeOptions = {},
): Promise<PatchscopeReading> {
  const asked = await read(model, inputs, options);
  const cells = asked.layers.flatMap((layer) =>
    asked.positions.map((position) => ({ layer, position })),
  );
  const tops: { ids: number[]; logs: number[]; k: number } = { ids: [], logs: [], k: 0 };
  for (const rows of partsOf(cells, ROWS)) {
    const logits = logitsOf(OP, edited(asked, rows), {});
    const k = countOf(options.k, logits.size(-1));
    const { values, indices } = logSoftmax(logits, -1).topk(k);
    await evaluateSharingRows([values, indices], rows.length);
    tops.ids.push(...(await readNumbers(indices)));
    tops.logs.push(...(await readNumbers(values)));
    tops.k = k;
  }
  const written = await write(asked);
  const whole = positionAxis("position", asked.source.ids?.length ?? 0, asked.source.tokens);
  const axes: readonly NamedAxis[] = [
    { name: "layer", values: asked.layers },
    {
      ...whole,
      values: asked.positions,
      ...(whole.labels && { labels: asked.positions.map((at) => whole.labels?.[at] ?? "") }),
    },
    { name: "rank", values: range(tops.k).map((i) => i + 1) },
  ];
  const known = [...new Set(tops.ids)];
  const { tokenizer } = options;
  const texts = tokenizer === undefined ? known.map(String) : tokensRead(tokenizer, known);
  return new PatchscopeReading({
    ids: new NamedArray({ name: "id", axes, values: tops.ids }),
    logProbabilities: new NamedArray({ name: "log probability", axes, values: tops.logs }),
    texts: Object.fromEntries(known.map((id, i) => [id, texts[i] ?? ""])),
    written,
  });
}

async function read(
  model: unknown,
  inputs: TextInputs,
  options: PatchscopeOptions,
): Promise<Asked> {
  requireKnownOptions(OP, options, OPTIONS);
  if (!(model instanceof Module)) return fail(OP, `first a model, got ${describeValue(model)}`);
  const { tokenizer, component = "block_output", layer = "all", maxNewTokens } = options;
  if (maxNewTokens !== undefined && (!isCount(maxNewTokens) || maxNewTokens === 0)) {
    fail(OP, `maxNewTokens must be a whole number of 1 or more, got ${shown(maxNewTokens)}`);
  }
  if (maxNewTokens !== undefined && !(model instanceof CausalLanguageModel)) {
    fail(OP, `${model.constructor.name} cannot go on writing; leave out maxNewTokens`);
  }
  const source = await oneText(OP, inputs, tokenizer);
  const target = await oneText(OP, options.target ?? identityPrompt(), tokenizer);
  const grid = axesOf({ op: OP, model, inputs: source.inputs }, { layer, component });
  const layers = sitesOf(grid).map((site) => Number(site.layer ?? 0));
  const positions = positionsOf(options.position ?? "all", source, "position");
  return { model, options, source, target, layers, positions };
}

/** Positions counted from 0. @throws TsveneError for one that is not there. */
function positionsOf(
  given: number | string | readonly number[],
  { ids }: OneText,
  name: "position" | "targetPosition",
): readonly number[] {
  const length = ids?.length ?? fail(OP, "inputs without token ids have no positions to choose");
  if (given === "all") return range(length);
  return [given].flat().map((at) => {
    const index = at === "last" ? length - 1 : Number(at) + (Number(at) < 0 ? length : 0);
    if (isCount(index) && index < length) return index;
    return fail(OP, `${name} ${shown(at)} is not there: the prompt has ${length} positions`);
  });
}

function countOf(k: number | undefined, vocabulary: number): number {
  const count = k ?? Math.min(5, vocabulary);
  if (isCount(count) && count >= 1 && count <= vocabulary) return count;
  return fail(OP, `k must be a number of tokens from 1 to ${vocabulary}, got ${shown(k)}`);
}

/** One intervention for each layer, which reads there and writes where it is wanted. */
function interchange({ options }: Asked, layer: number): RepresentationConfig {
  const { component = "block_output", targetLayer = "same" } = options;
  return {
    name: `from ${layer}`,
    layer: targetLayer === "same" ? layer : targetLayer,
    component,
    source: { layer, component },
    intervention: VanillaIntervention,
    groupKey: 0,
  };
}

/** What the model makes of the target, each row with the state of a cell in it. */
function edited(asked: Asked, cells: readonly Cell[]): unknown {
  const { model, source, target, options } = asked;
  const layers = [...new Set(cells.map(({ layer }) => layer))];
  const patched = new IntervenableModel(
    layers.map((layer) => interchange(asked, layer)),
    model,
  );
  const rows = layers.map((own) => [`from ${own}`, cells.map(({ layer }) => layer === own)]);
  const same = cells.map(() => 0);
  const [to = 0] = positionsOf(options.targetPosition ?? "last", target, "targetPosition");
  const places = { source: cells.map(({ position }) => [position]), base: to };
  const { intervened } = patched.forward(inputRows(target.inputs, same), {
    sources: inputRows(source.inputs, same),
    rows: Object.fromEntries(rows) as Record<string, boolean[]>,
    unitLocations: { "sources->base": places },
  });
  return intervened;
}

/** What the model writes after each edited prompt, layers outermost; nothing where nothing was asked for. */
async function write(asked: Asked): Promise<readonly (readonly string[])[] | undefined> {
  const { model, source, target, options, layers, positions } = asked;
  const { maxNewTokens, tokenizer } = options;
  if (maxNewTokens === undefined || !(model instanceof CausalLanguageModel)) return undefined;
  const same = positions.map(() => 0);
  const [to = 0] = positionsOf(options.targetPosition ?? "last", target, "targetPosition");
  const places = { source: positions.map((position) => [position]), base: to };
  const before = target.ids?.length ?? 0;
  const written: string[][] = [];
  for (const layer of layers) {
    const patched = new IntervenableModel(interchange(asked, layer), model);
    const { intervened } = await patched.generate(
      inputRows(target.inputs, same) as GenerateInputs,
      {
        sources: inputRows(source.inputs, same) as GenerateInputs,
        unitLocations: { "sources->base": places },
        steps: "prompt",
        maxNewTokens,
      },
    );
    const ids = await intervened.sequences.toArray();
    written.push(
      ids.map((row) => {
        const own = row.slice(before);
        return tokenizer === undefined ? own.join(" ") : tokenizer.decode(own);
      }),
    );
  }
  return written;
}
