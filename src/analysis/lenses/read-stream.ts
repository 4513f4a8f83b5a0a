import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { logSoftmax } from "../../nn/functional/activations.ts";
import { Replay } from "../../runtime/replay.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { tokensRead } from "../../tokenizers/next-token.ts";
import { type OneText, positionAxis, type TextTokenizer } from "../data/one-text.ts";
import { NamedArray } from "../results/named-array.ts";
import type { NamedAxis } from "../results/named-axis.ts";
import { LensReading } from "./lens-reading.ts";
import { type ReadState, readState } from "./read-state.ts";
import { decodeState, END, type Stream, traceStream } from "./stream.ts";
import { tokenId } from "./token-id.ts";

/** What is read of each state. */
export interface LensOptions {
  /** What texts are read with, and tokens are written with. @default ids are written as numbers */
  readonly tokenizer?: TextTokenizer;
  /** How many of the likeliest tokens are kept. @default 5, or the vocabulary's size if that is less */
  readonly k?: number;
  /**
   * The token whose logit, log probability and rank are wanted: a text, an id, or one for each position.
   * @default at each position what the model says in the end
   */
  readonly target?: string | number | readonly (string | number)[];
}

/** What becomes of the state that enters a layer before it is read. */
export type Translation = (state: Tensor, layer: number) => Tensor;

/** A lens on a run of a text. */
export interface LensRun {
  readonly op: string;
  readonly stream: Stream;
  readonly text: OneText;
  readonly options: LensOptions;
  /** @default the state as it is */
  readonly translate?: Translation;
}

/** The text that was given, where a text was given: an answer is a token after it. */
type Given = string | object;

/** Reads every state of a run; the logits of one at a time. */
export async function readStream(run: LensRun, given: Given): Promise<LensReading> {
  const { op, stream, text, options, translate = (state) => state } = run;
  const { states, logits } = traceStream(op, stream, text.inputs);
  const [, positions = 0, vocabulary = 0] = logits.shape;
  const k = countOf(op, options.k, vocabulary);
  const last = states.length - 1;
  const read = states.map((state, layer) => (layer === last ? state : translate(state, layer)));
  const final = logSoftmax(logits, -1);
  const said = logits.squeeze(0).argmax(-1);
  await evaluate(...read, final, said);
  const targets = targetsOf(run, given, positions, vocabulary) ?? said;
  const decoded = await decodeEach(run, read, (own) => readState(own, final, targets, k));
  return reading(run, decoded, await idsOf(targets), positions);
}

function countOf(op: string, k: number | undefined, vocabulary: number): number {
  const count = k ?? Math.min(5, vocabulary);
  if (Number.isInteger(count) && count >= 1 && count <= vocabulary) return count;
  return fail(
    op,
    `k must be a number of tokens from 1 to ${vocabulary}, the vocabulary, got ${shown(k)}`,
  );
}

/** All states pass one program, one after the other. */
async function decodeEach(
  { op, stream, text }: LensRun,
  states: readonly Tensor[],
  read: (logits: Tensor) => ReadState,
): Promise<readonly ReadState[]> {
  const [first] = states;
  if (first === undefined) return [];
  const outputs = read(decodeState(op, stream, text.inputs, first));
  const names = Object.keys(outputs) as (keyof ReadState)[];
  const replay = new Replay(
    [first],
    names.map((name) => outputs[name]),
  );
  const decoded: ReadState[] = [];
  for (const state of states) {
    const values = await replay.run([state]);
    decoded.push(Object.fromEntries(names.map((name, i) => [name, values[i]])) as never);
  }
  return decoded;
}

async function reading(
  { stream, text, options: { tokenizer } }: LensRun,
  decoded: readonly ReadState[],
  targets: readonly number[],
  positions: number,
): Promise<LensReading> {
  const layers: NamedAxis = { name: "layer", values: [...stream.entries.keys(), END] };
  const axes = [layers, positionAxis("position", positions, text.tokens)];
  const [{ ids } = { ids: undefined }] = decoded;
  const ranks = Array.from({ length: ids?.size(-1) ?? 0 }, (_, i) => i + 1);
  const joined = async (name: string, of: keyof ReadState): Promise<NamedArray> => {
    const parts = await Promise.all(decoded.map((each) => each[of].data()));
    const isRanked = of === "ids" || of === "logProbabilities";
    return new NamedArray({
      name,
      axes: isRanked ? [...axes, { name: "rank", values: ranks }] : axes,
      values: parts.flatMap((part) => Array.from<number | bigint, number>(part, Number)),
    });
  };
  const read = {
    ids: await joined("id", "ids"),
    logProbabilities: await joined("log probability", "logProbabilities"),
    targetLogit: await joined("logit of the target", "targetLogit"),
    targetLogProbability: await joined("log probability of the target", "targetLogProbability"),
    targetRank: await joined("rank of the target", "targetRank"),
    entropy: await joined("entropy", "entropy"),
    kl: await joined("KL divergence", "kl"),
  };
  const known = [...new Set([...read.ids.values, ...targets])];
  const texts = tokenizer === undefined ? known.map(String) : tokensRead(tokenizer, known);
  return new LensReading({
    ...read,
    targets,
    texts: Object.fromEntries(known.map((id, i) => [id, texts[i] ?? ""])),
  });
}

async function idsOf(tensorOfIds: Tensor): Promise<readonly number[]> {
  return Array.from<number | bigint, number>(await tensorOfIds.data(), Number);
}

function targetsOf(
  { op, options: { target, tokenizer } }: LensRun,
  given: Given,
  positions: number,
  vocabulary: number,
): Tensor | undefined {
  if (target === undefined) return undefined;
  const list = Array.isArray(target) ? (target as readonly (string | number)[]) : undefined;
  if (list !== undefined && list.length !== positions) {
    fail(op, `target has ${list.length} tokens, but there are ${positions} positions`);
  }
  const id = (answer: unknown): number =>
    tokenId(op, { answer, name: "target", given, tokenizer, vocabulary });
  const ids = list?.map(id) ?? Array.from({ length: positions }, () => id(target));
  return tensor(ids, { dtype: "int64" });
}
