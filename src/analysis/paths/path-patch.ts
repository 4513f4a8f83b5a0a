import { fail } from "../../base/errors.ts";
import { type OptionNames, requireKnownOptions, requireOneOf } from "../../base/known-options.ts";
import { partsOf, range } from "../../base/lists.ts";
import type { Module } from "../../nn/module.ts";
import { evaluateSharingRows } from "../../runtime/evaluate-sharing-rows.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import type { ResidualNode } from "../residual/residual-nodes.ts";
import { Effects } from "../results/effects.ts";
import { NamedArray } from "../results/named-array.ts";
import { readNumbers } from "../results/read-numbers.ts";
import { type PairChunk, PairRuns } from "./pair-runs.ts";
import { OPTIONS, PATCHING, type Patching, type PatchingOptions } from "./patching.ts";
import { type PathSenders, receiversNamed, senderTable } from "./path-nodes.ts";
import { answerLogits } from "./prepared-pairs.ts";
import { readAs, tracePaths, traceReceivers } from "./trace-paths.ts";
import { mapStates } from "./written-states.ts";

/** Which paths are patched, and what is measured: plain data, where the metric is named. */
export interface PathPatching extends Patching {
  /**
   * What writes the source's values: each head alone; or names, `"input"`, `"a0.h1"`, `"m0"`, each alone, and
   * lists of names together. @default "heads"
   */
  readonly senders?: PathSenders;
  /**
   * What reads them: the end, or names of what heads read, `"a2.h0<q>"`, and of MLPs, `"m3"`; a head's name
   * alone stands for its queries, keys and values. @default "logits"
   */
  readonly receivers?: "logits" | readonly string[];
  /**
   * Whether MLPs on the way are computed anew, so that paths through them count as direct, as in the paper;
   * else they write what they write without edits. @default true
   */
  readonly throughMlps?: boolean;
  /**
   * Whether the norms of what receivers read keep the scale that they have without edits, as other tools do,
   * which makes what they read linear in the change; to compare with. @default false
   */
  readonly linearNorm?: boolean;
}

const OP = "pathPatch";
const ASKED: OptionNames<PathPatching> = {
  ...PATCHING,
  senders: true,
  receivers: true,
  throughMlps: true,
  linearNorm: true,
};

/**
 * Path patching by the four passes of the paper on indirect objects: (1) the base and (2) the source are run;
 * (3) the base is run with the sender's write of the source and all other heads as they were, and what the
 * receivers would read is kept; (4) the base is run with the receivers reading that, and nothing held. Norms
 * are of what is read, exactly. Where the receiver is the end, pass 4 is the final norm and the logits. What
 * rows have in common is computed once. (Wang et al. 2022; `runEdges` has edges of any choice)
 *
 * @returns The metric by `layer`, `head` and pair; of senders by name, by `sender` and pair. Its `percent()` is
 * what the paper reports: negative where the sender helped the base's answer.
 * @throws TsveneError for names of no node, and models whose layers do not add to a residual stream.
 *
 * @example
 * ```ts
 * import { AutoModelForCausalLM, AutoTokenizer, contrastPairs, pathPatch } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const pairs = contrastPairs(tokenizer, [
 *   {
 *     clean: "The capital of Italy is",
 *     corrupt: "The capital of Spain is",
 *     right: " Rome",
 *     wrong: " Madrid",
 *   },
 * ]);
 * const direct = await pathPatch(model, pairs);
 * console.log(String(direct.percent()));
 * const queries = await pathPatch(model, pairs, { receivers: ["a3.h2<q>"], throughMlps: false });
 * ```
 */
export async function pathPatch(
  model: Module,
  pairs: ContrastData,
  asked: PathPatching = {},
  options: PatchingOptions = {},
): Promise<Effects> {
  requireKnownOptions(OP, asked, ASKED);
  requireKnownOptions(OP, options, OPTIONS);
  const { senders = "heads", receivers = "logits", throughMlps = true, ...others } = asked;
  const { linearNorm = false, ...patching } = others;
  requireOneOf(OP, "throughMlps", throughMlps, [true, false]);
  requireOneOf(OP, "linearNorm", linearNorm, [true, false]);
  const runs = new PairRuns(OP, model, pairs, patching, options.memoryBudget);
  const { axes, groups } = senderTable(OP, runs.stream, senders);
  const paths: Paths = {
    runs,
    receivers: receiversNamed(OP, runs.stream, receivers),
    throughMlps,
    linearNorm,
  };
  const rows = runs.rowsAtOnce(receivers === "logits" ? LIVE : LIVE + runs.stream.layers.length);
  const count = axes.reduce((product, { values }) => product * values.length, 1);
  const values = new Float64Array(count * pairs.length).fill(NaN);
  const unedited: { clean: number[]; corrupt: number[] } = { clean: [], corrupt: [] };
  let done = 0;
  for await (const chunk of runs.chunks(Math.min(rows, pairs.length))) {
    unedited.clean.push(...chunk.unedited.clean);
    unedited.corrupt.push(...chunk.unedited.corrupt);
    const many = Math.max(1, Math.floor(rows / chunk.pairs.length));
    for (const own of partsOf(groups, many)) {
      options.signal?.throwIfAborted();
      const found = await runPaths(paths, chunk, own.map(({ nodes }) => nodes)); // prettier-ignore
      own.forEach(({ index }, g) => {
        chunk.pairs.forEach((pair, p) => {
          values[index * pairs.length + pair] = found[g * chunk.pairs.length + p] ?? NaN;
        });
      });
      done += own.length * chunk.pairs.length;
      options.onProgress?.(done, groups.length * pairs.length);
    }
  }
  const { metric, direction } = runs;
  const named = new NamedArray({
    name: metric.name,
    axes: [...axes, { name: "example", values: range(pairs.length) }],
    values,
  });
  return new Effects({ values: named, direction, ...unedited, isShare: metric.isShare });
}

/** How many states of a layer's size a run has at once. */
const LIVE = 8;

/** What all programs have in common. */
interface Paths {
  readonly runs: PairRuns;
  readonly receivers: readonly ResidualNode[];
  readonly throughMlps: boolean;
  readonly linearNorm: boolean;
}

/** The metric of each group of senders and each pair, the pairs varying fastest. */
async function runPaths(
  { runs, receivers, ...how }: Paths,
  chunk: PairChunk,
  groups: readonly (readonly ResidualNode[])[],
): Promise<readonly number[]> {
  const { stream, data, base, metric } = runs;
  const places = groups.flatMap(() => range(chunk.pairs.length));
  const batch = data.batch(groups.flatMap(() => chunk.pairs));
  const inRows = (t: Tensor): Tensor => (t.size(0) === 1 ? t : t.indexSelect(0, places));
  const trace = {
    stream,
    pass: stream.trace(batch[base]),
    source: mapStates(inRows, [chunk.source]),
    senders: groups.flatMap((nodes) => chunk.pairs.map(() => nodes)),
    ...how,
  };
  const final = traceReceivers(trace, tracePaths(trace), receivers);
  const finish = (): Tensor => answerLogits(OP, stream.finish(batch[base], final), batch, base);
  const isRead = receivers.some(({ kind }) => kind === "logits");
  const kept = { parts: [final], base: trace.pass.final };
  const values = metric.values({
    batch,
    logits: isRead ? readAs(trace, kept, finish) : finish(),
    get cleanLogits() {
      return inRows(chunk.cleanLogits ?? fail(OP, "internal: no clean logits"));
    },
  });
  await evaluateSharingRows([values], places.length);
  return readNumbers(values);
}
