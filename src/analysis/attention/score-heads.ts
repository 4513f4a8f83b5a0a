import { stack } from "../../tensor/functions/shaping.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** What a head may be doing. */
export type HeadScore =
  | "previousToken"
  | "duplicateToken"
  | "induction"
  | "repeatInduction"
  | "firstToken"
  | "currentToken"
  | "entropy";

/** Which of the keys of each query are meant: [batch, query, key], or undefined for nothing to measure. */
type Pattern = (texts: Texts) => readonly (readonly (readonly boolean[])[])[];

/** Ids of the rows, and after how many tokens they repeat, if they do. */
export interface Texts {
  readonly ids: readonly (readonly number[])[];
  readonly period: number | undefined;
}

/** How a score is computed of attention weights [batch, heads, queries, keys]: [heads]. */
type Rule = (weights: Tensor, texts: Texts) => Tensor;

const RULES: { readonly [K in HeadScore]: Rule } = {
  previousToken: meanOver((_, t, s) => s === t - 1),
  duplicateToken: massOver((ids, t, s) => s < t && ids[s] === ids[t]),
  induction: massOver((ids, t, s) => s >= 1 && s <= t && ids[s - 1] === ids[t]),
  repeatInduction: meanOver(
    (_, t, s, period = 0) => s === t - period + 1,
    ({ length }, t, period = 0) => t >= length - period,
  ),
  firstToken: meanOver((_, __, s) => s === 0),
  currentToken: meanOver((_, t, s) => s === t),
  entropy: (weights) => {
    const logs = weights.clamp({ min: 1e-30 }).log();
    return weights
      .mul(logs)
      .sum({ dim: -1 })
      .neg()
      .mean({ dim: [0, 2] });
  },
};

/** All scores that texts have: the one on repeats where they repeat. */
export function scoresOf({ period }: Texts): readonly HeadScore[] {
  const all = Object.keys(RULES) as HeadScore[];
  return period === undefined ? all.filter((score) => score !== "repeatInduction") : all;
}

/** The scores of one layer's heads, [scores, heads]; NaN where the texts have no such places. */
export function scoreHeads(weights: Tensor, texts: Texts): Tensor {
  return stack(scoresOf(texts).map((score) => RULES[score](weights, texts)));
}

type Meant = (ids: readonly number[], query: number, key: number, period?: number) => boolean;
type Counts = (ids: readonly number[], query: number, period?: number) => boolean;

/** The share of a key of each query, on average over queries, of which the first has no choice. */
function meanOver(isMeant: Meant, counts: Counts = (_, t) => t >= 1): Rule {
  return (weights, texts) => {
    const meant = maskOf(texts, (ids, t, s) => counts(ids, t, texts.period) && isMeant(ids, t, s, texts.period)); // prettier-ignore
    const queries = texts.ids.flatMap((ids) => ids.filter((_, t) => counts(ids, t, texts.period)));
    return massIn(weights, meant).div(queries.length);
  };
}

/** The share of all attention that is on such keys (TransformerLens' `head_detector`). */
function massOver(isMeant: Meant): Rule {
  return (weights, texts) => {
    const mask = maskOf(texts, isMeant);
    const mass = massIn(weights, mask).div(weights.sum({ dim: [0, 2, 3] }));
    return mask.flat(2).includes(true) ? mass : mass.mul(NaN);
  };
}

function maskOf({ ids: rows }: Texts, isMeant: Meant): ReturnType<Pattern> {
  return rows.map((ids) => ids.map((_, t) => ids.map((__, s) => isMeant(ids, t, s))));
}

function massIn(weights: Tensor, mask: ReturnType<Pattern>): Tensor {
  const meant = tensor(mask.map((own) => [own.map((row) => row.map(Number))]));
  return weights.mul(meant).sum({ dim: [0, 2, 3] });
}
