import { Tensor as OrtTensor } from "#ort";
import { itemsize, type TypedArray } from "../tensor/dtype.ts";
import { internal, TensorError } from "../tensor/errors.ts";
import { provideEvaluator } from "../tensor/evaluate.ts";
import { numel, sameShape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { inputName, outputName, sizeName } from "./compile.ts";
import { explainFailure } from "./explain-failure.ts";
import { transportOf } from "./half-carriers.ts";
import { narrow } from "./narrow.ts";
import { buildProgram, type Program } from "./program.ts";
import { isStep } from "./step.ts";
import { isHot, warm, type Weights, weightsOf } from "./packing.ts";
import { mayHold, withSession } from "./sessions.ts";
import { counters, countHeld } from "./stats.ts";

/** What a session is given, by name. */
export type Feeds = Record<string, OrtTensor>;

/** The runtime's view of a leaf. */
export function wrap(t: Tensor): OrtTensor {
  if (t.fed !== undefined) return t.fed as OrtTensor;
  const values = t.values ?? internal("a leaf has no values");
  const made = new OrtTensor(transportOf(t.dtype), values as never, t.shape);
  t.fed = made;
  return made;
}

/** How many steps a loop is to make. */
export function steps(times: number): OrtTensor {
  return new OrtTensor("int64", BigInt64Array.of(BigInt(times)), []);
}

/** What a session is fed: everything from outside but the weights that it holds. */
export function feedsOf(program: Program, within: Weights | undefined): Feeds {
  const feeds: Feeds = {};
  program.sizes.forEach((values, slot) => {
    if (within?.sized === "all") return;
    const dims = program.scalarSizes.has(slot) ? [] : [values.length];
    feeds[sizeName(slot)] = new OrtTensor("int64", BigInt64Array.from(values, BigInt), dims);
  });
  program.values.forEach((value, id) => {
    if (isStep(value) || within?.ids.has(id) === true) return;
    feeds[inputName(id)] = wrap(value.tensor);
  });
  return feeds;
}

/** Counts a run. @returns its multiply-adds. */
function count(program: Program, times: number): number {
  const work = program.work;
  counters.runs += times;
  counters.nodesRun += work.nodes * times;
  counters.multiplyAdds += work.multiplyAdds * times;
  for (const [op, n] of work.byOp) {
    counters.nodesByOp[op] = (counters.nodesByOp[op] ?? 0) + n * times;
  }
  return work.multiplyAdds * times;
}

/** The values of the targets in what a session gave. */
function valuesOf(program: Program, results: Feeds, times: number): TypedArray[] {
  return program.targets.map((target, i) => {
    const { dims, data } = results[outputName(i)] ?? internal(`no output ${i}`);
    const shape = isStacked(program, i) ? [times, ...target.shape] : target.shape;
    const features = shape.at(-1) ?? 1;
    const matrix = [numel(shape) / features, features];
    if (!sameShape(dims, shape) && !sameShape(dims, matrix)) {
      internal(`the program gives ${show(dims)} where ${show(shape)} was recorded`);
    }
    return data as TypedArray;
  });
}

/** Whether an output of a loop is that of all steps, and not what the last one hands on. */
export function isStacked({ feedback }: Program, output: number): boolean {
  return feedback !== undefined && !feedback.some((state) => state.output === output);
}

/**
 * Runs a program with `weights`, and gives the values of its targets.
 *
 * @param feedsFor What to feed a session that holds these weights, or none.
 * @param times Steps, if it is a loop; outputs that are not fed back are stacked.
 */
export async function runProgram(
  program: Program,
  weights: Weights | undefined,
  feedsFor: (within: Weights | undefined) => Feeds,
  times = 1,
): Promise<TypedArray[]> {
  const usable = weights !== undefined && mayHold(weights) ? weights : undefined;
  const within = usable && isHot(program, usable) ? usable : undefined;
  const names = program.outputs.map((_, i) => outputName(i));
  const values = await withSession(program, within, async (session) => {
    try {
      return valuesOf(program, await session.run(feedsFor(within), names), times);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new TensorError(explainFailure(reason), { cause });
    }
  });
  const products = count(program, times);
  if (usable !== undefined && within === undefined) warm(program, usable, products);
  program.targets.forEach(({ dtype }, i) => {
    const computed = values[i] ?? internal(`no values for output ${i}`);
    countHeld(computed, computed.length * itemsize(dtype));
  });
  return values;
}

/** Computes lazy tensors in one program. */
export async function evaluateTensors(tensors: readonly Tensor[]): Promise<void> {
  const asked = [...new Set(tensors)];
  const program = buildProgram(narrow(asked));
  const values = await runProgram(program, weightsOf(program), (within) =>
    feedsOf(program, within),
  );
  const targets = [...asked, ...program.targets.slice(asked.length)];
  targets.forEach((t, i) => {
    if (t.values === undefined) t.settle(values[i] ?? internal(`no values for output ${i}`));
  });
}

provideEvaluator(evaluateTensors);
