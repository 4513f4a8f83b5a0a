import { fail } from "../../base/errors.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { logitsOf } from "../../training/alignment/logits-of.ts";
import type { ContrastBatch, ContrastData, ContrastSide } from "../data/contrast-data.ts";
import type { ContrastMetric } from "../metrics/contrast-metric.ts";
import type { ResidualStream } from "../residual/residual-stream.ts";
import { readNumbers } from "../results/read-numbers.ts";
import { tensorsOf, type WrittenStates, writtenStates } from "./written-states.ts";

/** What all runs of some pairs have in common, computed. */
export interface PreparedPairs {
  /** Numbers of the pairs. */
  readonly pairs: readonly number[];
  /** The metric of each input without edits. */
  readonly unedited: Readonly<Record<ContrastSide, readonly number[]>>;
  /** What was written, by side: of those that were asked for. */
  readonly written: Readonly<Record<ContrastSide, WrittenStates | undefined>>;
  /** Logits of the clean inputs, [pairs, classes], if the metric reads them. */
  readonly cleanLogits: Tensor | undefined;
}

/** Of which pairs, and what of them. */
export interface Preparation {
  readonly op: string;
  readonly stream: ResidualStream;
  readonly data: ContrastData;
  readonly metric: Required<ContrastMetric>;
  readonly pairs: readonly number[];
  /** The inputs whose states are wanted. */
  readonly sides: readonly ContrastSide[];
}

const SIDES: readonly ContrastSide[] = ["clean", "corrupt"];

/** Runs both inputs of some pairs without edits, in one program. */
export async function preparePairs(asked: Preparation): Promise<PreparedPairs> {
  const { op, data, metric, pairs } = asked;
  const batch = data.batch(pairs);
  const [clean, corrupt] = SIDES.map((side) => tracedSide(asked, batch, side));
  if (clean === undefined || corrupt === undefined) return fail(op, "internal: a side is missing");
  let readsClean = false;
  const measured = [clean, corrupt].map(({ logits }) =>
    metric.values({
      batch,
      logits,
      get cleanLogits() {
        readsClean = true;
        return clean.logits;
      },
    }),
  );
  const written = [clean, corrupt].flatMap((side) => side.written ?? []);
  const cleanLogits = readsClean ? clean.logits : undefined;
  await evaluate(...measured, ...written.flatMap(tensorsOf), ...(cleanLogits ? [cleanLogits] : []));
  const [ofClean = [], ofCorrupt = []] = await Promise.all(measured.map(readNumbers));
  return {
    pairs,
    unedited: { clean: ofClean, corrupt: ofCorrupt },
    written: { clean: clean.written, corrupt: corrupt.written },
    cleanLogits,
  };
}

interface TracedSide {
  /** Where the answers are predicted, [pairs, classes]. */
  readonly logits: Tensor;
  readonly written: WrittenStates | undefined;
}

function tracedSide(
  { op, stream, sides }: Preparation,
  batch: ContrastBatch,
  side: ContrastSide,
): TracedSide {
  const pass = stream.trace(batch[side]);
  return {
    logits: answerLogits(op, pass.result, batch, side),
    written: sides.includes(side) ? writtenStates(stream, pass) : undefined,
  };
}

/** The logits of a model's output where a side's answers are predicted, [rows, classes]. */
export function answerLogits(
  op: string,
  output: unknown,
  { answerPositions }: ContrastBatch,
  side: ContrastSide,
): Tensor {
  const labelPositions = answerPositions?.[side];
  return logitsOf(op, output, labelPositions === undefined ? {} : { labelPositions });
}
