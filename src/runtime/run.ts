import { Tensor as OrtTensor } from "#ort";
import type { InferenceSession } from "#ort";
import { itemsize, type TypedArray } from "../tensor/dtype.ts";
import { internal, TensorError } from "../tensor/errors.ts";
import { provideEvaluator } from "../tensor/evaluate.ts";
import { numel, sameShape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { inputName, outputName, sizeName } from "./compile.ts";
import { multiplyAdds } from "./describe-program.ts";
import { carrierOf } from "./half-carriers.ts";
import { narrow } from "./narrow.ts";
import { buildProgram, type Program } from "./program.ts";
import { isStep } from "./step.ts";
import { warm, type Weights, weightsOf } from "./packing.ts";
import { weightsWithin, withSession } from "./sessions.ts";
import { counters, countHeld } from "./stats.ts";

type Feeds = Record<string, OrtTensor>;

/** The runtime's view of a leaf, made once: weights are fed to every program. */
const wrapped = new WeakMap<Tensor, OrtTensor>();

function wrap(t: Tensor): OrtTensor {
  const known = wrapped.get(t);
  if (known !== undefined) return known;
  const values = t.values ?? internal("a leaf has no values");
  const made = new OrtTensor(carrierOf(t.dtype), values as never, t.shape);
  wrapped.set(t, made);
  return made;
}

/** What a session is fed: everything from outside but the weights that it holds. */
function feedsOf(program: Program, within: Weights | undefined): Feeds {
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
function count(program: Program): number {
  counters.runs++;
  const before = counters.multiplyAdds;
  for (const value of program.values) {
    if (!isStep(value)) continue;
    counters.nodesRun++;
    const { op } = value.origin;
    counters.nodesByOp[op] = (counters.nodesByOp[op] ?? 0) + 1;
    counters.multiplyAdds += multiplyAdds(value);
  }
  return counters.multiplyAdds - before;
}

async function execute(
  session: InferenceSession,
  program: Program,
  within: Weights | undefined,
): Promise<TypedArray[]> {
  const names = program.outputs.map((_, i) => outputName(i));
  try {
    const results = await session.run(feedsOf(program, within), names);
    return program.targets.map(({ shape }, i) => {
      const { dims, data } = results[outputName(i)] ?? internal(`no output ${i}`);
      const features = shape.at(-1) ?? 1;
      const matrix = [numel(shape) / features, features];
      if (!sameShape(dims, shape) && !sameShape(dims, matrix)) {
        internal(`the program gives ${show(dims)} where ${show(shape)} was recorded`);
      }
      return bitsOf(data);
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TensorError(`evaluation failed: ${reason}`, { cause });
  }
}

/** Newer versions of Node give float16 as numbers, where tensors hold their bits. */
function bitsOf(data: OrtTensor["data"]): TypedArray {
  const values = data as TypedArray;
  if (values.BYTES_PER_ELEMENT !== 2 || values instanceof Uint16Array) return values;
  const { buffer, byteOffset, length } = values as TypedArray;
  return new Uint16Array(buffer, byteOffset, length);
}

/** Computes lazy tensors in one program. */
export async function evaluateTensors(tensors: readonly Tensor[]): Promise<void> {
  const asked = [...new Set(tensors)];
  const program = buildProgram(narrow(asked));
  const weights = weightsOf(program);
  const within = weightsWithin(program, weights);
  const values = await withSession(program, within, (session) => execute(session, program, within));
  const products = count(program);
  if (weights !== undefined && within === undefined) warm(program, weights, products);
  const targets = [...asked, ...program.targets.slice(asked.length)];
  targets.forEach((t, i) => {
    const computed = values[i] ?? internal(`no values for output ${i}`);
    countHeld(computed, computed.length * itemsize(t.dtype));
    if (t.values === undefined) t.settle(computed);
  });
}

provideEvaluator(evaluateTensors);
