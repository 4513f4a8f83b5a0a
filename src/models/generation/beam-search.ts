import { internal } from "../../base/errors.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { CausalLanguageModel } from "../model/causal-language-model.ts";
import type { GenerateOutput } from "./options.ts";
import type { BeamSettings, GenerationPlan } from "./plan.ts";
import { int64 } from "./int64.ts";
import { Reading } from "./reading.ts";
import { drawSeveral } from "./choose.ts";
import { logSoftmax } from "./processors/softmax.ts";
import { requireChoice, requireNumbers, scoresOf } from "./scores.ts";

/** A row and the token that would follow it, for which nobody has asked yet whether the text ends. */
type Open = Omit<Candidate, "ends">;

/** A row and the token that would follow it. */
interface Candidate {
  readonly row: number;
  readonly token: number;
  /** Sum of the log-probabilities of all new tokens. */
  readonly score: number;
  /** Whether the text ends with the token. */
  readonly ends: boolean;
}

/** A text that has ended. */
interface Finished {
  readonly ids: readonly number[];
  /** Its score, by length. */
  readonly score: number;
}

/** The beams of one prompt. */
interface Search {
  /** Scores of its rows. */
  scores: readonly number[];
  /** The best texts that have ended, best first; `numBeams` at most. */
  finished: readonly Finished[];
  /** Whether a longer text may still be better than those. */
  improvable: boolean;
}

/** So unlikely that it is never chosen. */
const NEVER = -1e9;

/**
 * Beam search as in Hugging Face's `generate`: of all continuations of a prompt's beams the likeliest
 * go on, and those that end are kept by their score over length ** lengthPenalty.
 */
export class BeamSearch {
  readonly #plan: GenerationPlan;
  readonly #beams: BeamSettings;
  readonly #reading: Reading;
  readonly #searches: readonly Search[];

  constructor(model: CausalLanguageModel, plan: GenerationPlan, beams: BeamSettings) {
    this.#plan = plan;
    this.#beams = beams;
    this.#reading = new Reading(model, plan);
    // All beams begin with the same text, so that only one may be continued.
    const first = Array.from({ length: beams.numBeams }, (_, i) => (i === 0 ? 0 : NEVER));
    this.#searches = Array.from({ length: plan.prompt.rows.length / beams.numBeams }, () => ({
      scores: first,
      finished: [],
      improvable: true,
    }));
  }

  async run(): Promise<GenerateOutput> {
    const { maxNewTokens, calls, output, beams, stopping } = this.#plan;
    stopping.start();
    const logits: Tensor[] = [];
    const scores: Tensor[] = [];
    while (this.#reading.count < maxNewTokens && this.#goesOn()) {
      calls.signal?.throwIfAborted();
      const [last] = await this.#reading.read({ of: (logits) => [logits] });
      const data = (await (last ?? internal("no logits were read")).data()) as Float32Array;
      const rows = this.#reading.rows.length;
      const shape = [rows, data.length / rows];
      logits.push(Tensor.fromData(data, shape));
      scores.push(Tensor.fromData(this.#advance(data), shape));
    }
    return {
      ...this.#best(beams?.numReturnSequences ?? 1),
      ...(output.logits ? { logits } : {}),
      ...(output.scores ? { scores } : {}),
    };
  }

  #goesOn(): boolean {
    const { numBeams, earlyStopping } = this.#beams;
    const full = this.#searches.every(({ finished }) => finished.length === numBeams);
    return this.#searches.some(({ improvable }) => improvable) && !(full && earlyStopping === true);
  }

  /** Continues all beams by a token and returns the scores that tokens were chosen by. */
  #advance(logits: Float32Array): Float32Array {
    const { numBeams } = this.#beams;
    const { processes, prompt } = this.#plan;
    const { rows } = this.#reading;
    const size = logits.length / rows.length;
    const all = new Float32Array(logits.length);
    rows.forEach((ids, i) => {
      const own = logSoftmax(logits.subarray(i * size, (i + 1) * size));
      const text = { ids, row: i, promptLength: prompt.length };
      const scores = scoresOf(own, text, processes);
      requireNumbers(scores);
      all.set(scores, i * size);
    });
    const isLate = this.#plan.stopping.isLate();
    let goesOn = false;
    const chosen = this.#searches.flatMap((search, i) => {
      const open = this.#candidates(search, all, i * numBeams, size);
      requireChoice(Math.max(...open.map(({ score }) => score)), processes);
      const candidates = this.#withEnds(open, all, isLate);
      goesOn ||= candidates.some(({ ends }) => !ends);
      return this.#continue(search, candidates);
    });
    this.#reading.reorder(chosen.map(({ row }) => row));
    this.#reading.append(chosen.map(({ token }) => token));
    for (const search of this.#searches) search.improvable &&= this.#mayImprove(search);
    if (!goesOn) for (const search of this.#searches) search.improvable = false;
    return all;
  }

  /** Some continuations, as many as leave `numBeams` that do not end: the likeliest, or drawn ones. */
  #candidates(search: Search, all: Float32Array, firstRow: number, size: number): Open[] {
    const keep = Math.max(2, 1 + this.#plan.eosTokenIds.size) * this.#beams.numBeams;
    const generator = this.#plan.generators?.[firstRow];
    if (generator === undefined) return likeliestOf(search.scores, all, { firstRow, size, keep });
    const totals = search.scores.flatMap((score, beam) => {
      const begin = (firstRow + beam) * size;
      return Array.from(all.subarray(begin, begin + size), (value) => score + value);
    });
    const drawn = drawSeveral(totals, keep, () => generator.uniform());
    return drawn.map((at) => ({
      row: firstRow + Math.floor(at / size),
      token: at % size,
      score: totals[at] ?? NEVER,
    }));
  }

  /** Says of candidates whether their texts end. */
  #withEnds(candidates: readonly Open[], all: Float32Array, isLate: boolean): Candidate[] {
    const { maxNewTokens, eosTokenIds, stopping } = this.#plan;
    const { rows, count } = this.#reading;
    const size = all.length / rows.length;
    const always = isLate || count + 1 === maxNewTokens;
    return candidates.map((candidate) => {
      const { row, token } = candidate;
      const scores = all.subarray(row * size, (row + 1) * size);
      const stops = stopping.looks && stopping.ends([...(rows[row] ?? []), token], scores);
      return { ...candidate, ends: stops || always || eosTokenIds.has(token) };
    });
  }

  /** Keeps the candidates that end, and returns those that the beams go on with. */
  #continue(search: Search, candidates: readonly Candidate[]): readonly Candidate[] {
    const { numBeams, lengthPenalty, earlyStopping } = this.#beams;
    const length = this.#reading.count + 1;
    const closed = earlyStopping === true && search.finished.length === numBeams;
    if (search.improvable && !closed) {
      const ended = candidates.slice(0, numBeams).filter(({ ends }) => ends);
      const finished = ended.map(({ row, token, score }) => ({
        ids: [...(this.#reading.rows[row] ?? []), token],
        score: score / length ** lengthPenalty,
      }));
      search.finished = [...search.finished, ...finished]
        .sort((a, b) => b.score - a.score)
        .slice(0, numBeams);
    }
    // Where all end, the beams are not gone on with, but the loop wants its rows.
    const [open, ended] = [false, true].map((end) => candidates.filter(({ ends }) => ends === end));
    const next = [...(open ?? []).toSorted(byScore), ...(ended ?? [])].slice(0, numBeams);
    search.scores = next.map(({ score, ends }) => (ends ? NEVER : score));
    return next;
  }

  #mayImprove({ scores, finished }: Search): boolean {
    const { numBeams, lengthPenalty, earlyStopping } = this.#beams;
    const longest = earlyStopping === "never" && lengthPenalty > 0;
    const length = longest ? this.#plan.maxNewTokens : this.#reading.count;
    const best = (scores[0] ?? NEVER) / length ** lengthPenalty;
    return finished.length < numBeams || best > (finished.at(-1)?.score ?? NEVER);
  }

  #best(count: number): Pick<GenerateOutput, "sequences" | "sequencesScores"> {
    const chosen = this.#searches.flatMap(({ finished }) => finished.slice(0, count));
    const length = Math.max(...chosen.map(({ ids }) => ids.length));
    const filled = chosen.map(({ ids }) => [
      ...ids,
      ...Array.from({ length: length - ids.length }, () => this.#plan.padTokenId),
    ]);
    const scores = Float32Array.from(chosen, ({ score }) => score);
    return {
      sequences: int64(filled),
      sequencesScores: Tensor.fromData(scores, [chosen.length]),
    };
  }
}

const byScore = (a: Open, b: Open): number => b.score - a.score;

/** The best continuations of a prompt's beams, best first. */
function likeliestOf(
  beamScores: readonly number[],
  all: Float32Array,
  {
    firstRow,
    size,
    keep,
  }: { readonly firstRow: number; readonly size: number; readonly keep: number },
): Open[] {
  const best: Open[] = [];
  beamScores.forEach((beamScore, beam) => {
    const row = firstRow + beam;
    for (let token = 0; token < size; token++) {
      const score = beamScore + (all[row * size + token] ?? 0);
      if (best.length === keep && score <= (best.at(-1)?.score ?? 0)) continue;
      const at = best.findIndex((other) => score > other.score);
      best.splice(at < 0 ? best.length : at, 0, { row, token, score });
      if (best.length > keep) best.pop();
    }
  });
  return best;
}
