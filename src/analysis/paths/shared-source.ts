import { fail } from "../../base/errors.ts";
import { requireOneOf } from "../../base/known-options.ts";
import { partsOf, range } from "../../base/lists.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { zeros } from "../../tensor/functions/creation.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { ContrastData, ContrastSide } from "../data/contrast-data.ts";
import type { ResidualStream } from "../residual/residual-stream.ts";
import type { PatchSource } from "./patching.ts";
import { mapStates, tensorsOf, type WrittenStates, writtenStates } from "./written-states.ts";

/** @throws TsveneError for what is no {@link PatchSource}. */
export function requireSource(op: string, source: unknown): void {
  if (typeof source !== "object" || source === null) {
    requireOneOf(op, "source", source, ["counterpart", "zero", "{ mean }"]);
    return;
  }
  const { mean } = source as { readonly mean?: unknown };
  requireOneOf(op, "source: mean", mean, ["clean", "corrupt"]);
}

/** What a mean is taken of. */
export interface SourceRuns {
  readonly op: string;
  readonly stream: ResidualStream;
  readonly data: ContrastData;
}

/**
 * What takes the place of what senders write, where that is one for all pairs; undefined where it is what they
 * wrote for each pair's other input.
 *
 * @param size - How many pairs are run at once.
 */
export async function sharedSource(
  runs: SourceRuns,
  source: PatchSource,
  size: number,
): Promise<WrittenStates | undefined> {
  if (source === "counterpart") return undefined;
  if (source !== "zero") return meanWritten(runs, source.mean, size);
  const { stream, data } = runs;
  return mapStates(zeroRow, [writtenStates(stream, stream.trace(data.batch([0]).clean))]);
}

async function meanWritten(
  { op, stream, data }: SourceRuns,
  side: ContrastSide,
  size: number,
): Promise<WrittenStates> {
  let total: WrittenStates | undefined;
  for (const pairs of partsOf(range(data.length), size)) {
    const { [side]: inputs } = data.batch(pairs);
    await requireOneLength(op, inputs);
    const written = writtenStates(stream, stream.trace(inputs));
    const own = mapStates((t) => t.sum({ dim: 0, keepdim: true }), [written]);
    total = total === undefined ? own : mapStates(sumOf, [total, own]);
    await evaluate(...tensorsOf(total));
  }
  const states = total ?? fail(op, "internal: there are no pairs");
  const mean = mapStates((t) => t.div(data.length), [states]);
  await evaluate(...tensorsOf(mean));
  return mean;
}

/** A mean over padding would be of nothing. */
async function requireOneLength(op: string, inputs: unknown): Promise<void> {
  const { attentionMask } = (inputs ?? {}) as { readonly attentionMask?: unknown };
  if (!(attentionMask instanceof Tensor)) return;
  if ((await attentionMask.to("float32").amin().item()) > 0) return;
  fail(
    op,
    "source { mean } is taken position by position, and the pairs differ in length; give pairs of one " +
      "length, or another source",
  );
}

function zeroRow({ shape: [, ...rest] }: Tensor): Tensor {
  return zeros([1, ...rest]);
}

function sumOf(a: Tensor, ...others: readonly Tensor[]): Tensor {
  return others.reduce((sum, t) => sum.add(t), a);
}
