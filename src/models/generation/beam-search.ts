import { fail, internal } from "../../tensor/errors.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { CausalLanguageModel } from "../causal-language-model.ts";
import type { GenerateOutput } from "./options.ts";
import type { BeamSettings, GenerationPlan } from "./plan.ts";
import { int64 } from "./int64.ts";
import { Reading } from "./reading.ts";
import { scoresOf } from "./scores.ts";

/** A row and the token that would follow it. */
interface Candidate {
  readonly row: number;
  readonly token: number;
  /** Sum of the log-probabilities of all new tokens. */
  readonly score: number;
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
    const { maxNewTokens, options } = this.#plan;
    const logits: Tensor[] = [];
    const scores: Tensor[] = [];
    while (this.#reading.count < maxNewTokens && this.#goesOn()) {
      options.signal?.throwIfAborted();
      const [last] = await this.#reading.read({ of: (logits) => [logits] });
      const data = (await (last ?? internal("no logits were read")).data()) as Float32Array;
      const rows = this.#reading.rows.length;
      const shape = [rows, data.length / rows];
      logits.push(Tensor.fromData(data, shape));
      scores.push(Tensor.fromData(this.#advance(data), shape));
    }
    return {
      ...this.#best(options.numReturnSequences ?? 1),
      ...(options.outputLogits === true ? { logits } : {}),
      ...(options.outputScores === true ? { scores } : {}),
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
    const { rows, count } = this.#reading;
    const size = logits.length / rows.length;
    const all = new Float32Array(logits.length);
    rows.forEach((ids, i) => {
      const own = logSoftmax(logits.subarray(i * size, (i + 1) * size));
      all.set(scoresOf(own, ids, count, this.#plan.scores), i * size);
    });
    const chosen = this.#searches.flatMap((search, i) =>
      this.#continue(search, this.#candidates(search, all, i * numBeams, size)),
    );
    this.#reading.reorder(chosen.map(({ row }) => row));
    this.#reading.append(chosen.map(({ token }) => token));
    for (const search of this.#searches) search.improvable &&= this.#mayImprove(search);
    return all;
  }

  /** The likeliest continuations, best first: as many as leave `numBeams` that do not end. */
  #candidates(search: Search, all: Float32Array, firstRow: number, size: number): Candidate[] {
    const keep = Math.max(2, 1 + this.#plan.eosTokenIds.size) * this.#beams.numBeams;
    const best: Candidate[] = [];
    search.scores.forEach((score, beam) => {
      const row = firstRow + beam;
      for (let token = 0; token < size; token++) {
        const total = score + (all[row * size + token] ?? 0);
        if (Number.isNaN(total)) fail("generate", "the model's logits are not numbers (NaN)");
        if (best.length === keep && total <= (best.at(-1)?.score ?? 0)) continue;
        const at = best.findIndex((other) => total > other.score);
        best.splice(at < 0 ? best.length : at, 0, { row, token, score: total });
        if (best.length > keep) best.pop();
      }
    });
    return best;
  }

  /** Keeps the candidates that end, and returns those that the beams go on with. */
  #continue(search: Search, candidates: readonly Candidate[]): readonly Candidate[] {
    const { numBeams, lengthPenalty, earlyStopping } = this.#beams;
    const length = this.#reading.count + 1;
    const isLast = length === this.#plan.maxNewTokens;
    const ends = ({ token }: Candidate): boolean => isLast || this.#plan.eosTokenIds.has(token);
    const closed = earlyStopping === true && search.finished.length === numBeams;
    if (search.improvable && !closed) {
      const ended = candidates.slice(0, numBeams).filter(ends);
      const finished = ended.map(({ row, token, score }) => ({
        ids: [...(this.#reading.rows[row] ?? []), token],
        score: score / length ** lengthPenalty,
      }));
      search.finished = [...search.finished, ...finished]
        .sort((a, b) => b.score - a.score)
        .slice(0, numBeams);
    }
    const open = candidates.filter((candidate) => isLast || !ends(candidate)).slice(0, numBeams);
    search.scores = open.map(({ score }) => score);
    return open;
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

function logSoftmax(logits: Float32Array): Float32Array {
  const peak = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - peak), 0);
  return logits.map((logit) => logit - peak - Math.log(sum));
}
