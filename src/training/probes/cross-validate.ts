import { fail } from "../../base/errors.ts";
import { requireKnownOptions, type OptionNames } from "../../base/known-options.ts";
import { Generator, randperm } from "../../tensor/random/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type Interval, wilsonInterval } from "../alignment/statistics.ts";
import { rowsOf } from "./activations.ts";
import { type ClassLabel, classesOf } from "./classes.ts";
import { LOGISTIC_OPTIONS, logisticProbe, type LogisticProbeOptions } from "./logistic-probe.ts";

/** How the accuracy of probes is estimated. */
export interface ProbeScoreOptions extends LogisticProbeOptions {
  /** Into how many parts the samples are divided, each of which is told by a probe of the others. @default 5 */
  readonly folds?: number;
  /**
   * What each sample is about, such as its word: samples of one group are never divided between a probe and
   * its test, so that knowing the group by heart does not help. @default each sample by itself
   */
  readonly groups?: readonly ClassLabel[];
  /** Where the division and the order of the control's labels start. @default 0 */
  readonly seed?: number;
}

const OPTIONS: OptionNames<ProbeScoreOptions> = {
  ...LOGISTIC_OPTIONS,
  folds: true,
  groups: true,
  seed: true,
};

/** What a probe tells, beside what it would tell of nothing. */
export interface ProbeScore {
  /** The share of samples whose class was told by a probe that was not fitted on them. */
  readonly accuracy: number;
  /** Between which numbers that lies to 95 % (Wilson). */
  readonly interval: Interval;
  /** The same for labels in another order, which activations do not have: the control. */
  readonly control: number;
  /** accuracy - control: how much of it is about the activations (Hewitt and Liang, 2019). */
  readonly selectivity: number;
  /** The share of the most frequent class, which is told without looking. */
  readonly majority: number;
  /** Number of samples. */
  readonly n: number;
}

const OP = "probeScore";

/**
 * How well a logistic probe tells classes of activations that it was not fitted on, by cross-validation, with a
 * control: probes of the same labels in another order.
 *
 * @param x - Activations [..., width], such as collected ones.
 * @param labels - The class of each sample.
 * @throws TsveneError for labels and groups that do not fit, and fewer samples or groups than folds.
 *
 * @example
 * ```ts
 * import { probeScore, randn } from "tsvene";
 * const x = randn([60, 4]);
 * const labels = (await x.select(1, 2).toArray(1)).map((value) => value > 0);
 * const { accuracy, control, selectivity } = await probeScore(x, labels);
 * console.log(accuracy, control, selectivity);
 * ```
 */
export async function probeScore(
  x: Tensor,
  labels: readonly ClassLabel[],
  options: ProbeScoreOptions = {},
): Promise<ProbeScore> {
  requireKnownOptions(OP, options, OPTIONS);
  const { folds = 5, groups, seed = 0, ...fitting } = options;
  const rows = await rowsOf(OP, "x", x, 2);
  const n = rows.size(0);
  const { names, numbers } = classesOf(OP, labels, n);
  const generator = new Generator(seed);
  const parts = divided(n, folds, groups, generator);
  const order = orderOf(n, generator);
  const told = (of: readonly ClassLabel[]): Promise<number> => toldShare(rows, of, parts, fitting);
  const accuracy = await told(labels);
  const control = await told(order.map((i) => labels[i] ?? ""));
  const counts = names.map((_, name) => numbers.filter((number) => number === name).length);
  return {
    accuracy,
    interval: wilsonInterval(accuracy, n),
    control,
    selectivity: accuracy - control,
    majority: Math.max(...counts) / n,
    n,
  };
}

function orderOf(n: number, generator: Generator): number[] {
  return Array.from(randperm(n, { generator }).values ?? [], Number);
}

/** The part of each sample. */
function divided(
  n: number,
  folds: number,
  groups: readonly ClassLabel[] | undefined,
  generator: Generator,
): readonly number[] {
  if (groups !== undefined && groups.length !== n) {
    fail(OP, `there are ${groups.length} groups for ${n} samples; give one for each`);
  }
  const own = groups ?? Array.from({ length: n }, (_, i) => i);
  const known = [...new Set(own)];
  if (!Number.isSafeInteger(folds) || folds < 2 || folds > known.length) {
    const what = groups === undefined ? "samples" : "groups";
    fail(
      OP,
      `folds must be a whole number from 2 to the ${known.length} ${what}, got ${String(folds)}`,
    );
  }
  const order = orderOf(known.length, generator);
  const part = new Map(order.map((which, i) => [known[which], i % folds]));
  return own.map((group) => part.get(group) ?? 0);
}

/** The share of samples that probes of the other parts tell. */
async function toldShare(
  rows: Tensor,
  labels: readonly ClassLabel[],
  parts: readonly number[],
  fitting: LogisticProbeOptions,
): Promise<number> {
  let told = 0;
  for (const part of new Set(parts)) {
    const [test, rest]: [number[], number[]] = [[], []];
    for (const [i, own] of parts.entries()) (own === part ? test : rest).push(i);
    const pick = (indices: readonly number[]): ClassLabel[] => indices.map((i) => labels[i] ?? "");
    const known = pick(rest);
    if (new Set(known).size < 2) {
      fail(OP, `without part ${part}, all samples are of one class; use fewer folds`);
    }
    const probe = await logisticProbe(rows.indexSelect(0, rest), known, fitting);
    told += test.length * (await probe.accuracy(rows.indexSelect(0, test), pick(test)));
  }
  return told / labels.length;
}
