import { InferenceSession, takeTurns, Tensor as OrtTensor } from "#ort";
import type { TypedArray } from "../../tensor/dtype.ts";
import { internal } from "../../base/errors.ts";
import { TensorError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Backend, BoundProgram, CompileOptions, Executable, HostValue } from "../backend.ts";
import {
  compileModel,
  eachName,
  initialName,
  inputName,
  outputName,
  sizeName,
  TIMES,
} from "../emit/compile.ts";
import { transportOf } from "../emit/carriers.ts";
import type { Weights } from "../emit/packing.ts";
import type { Program } from "../program/program.ts";
import { kernels } from "../program/kernels.ts";
import { isStep } from "../program/step.ts";
import { explainFailure } from "./explain-failure.ts";

/**
 * Optimisers of ONNX Runtime that are left out: one that would turn the products back that `linear` turns
 * round on purpose, and those that look for what no program of ours has in it, each of which goes through
 * all nodes and takes as long as a tenth of all the rest: numbers of 8 bits and fewer, dropout, shapes that
 * are computed, equal nodes (there are none), and what is an operation here and so is never written out, or has an operation that is
 * chosen on purpose.
 */
const NO_OPTIMIZERS = [
  "GemmTransposeFusion;QDQFinalCleanupTransformer;QDQPropagationTransformer",
  "QDQS8ToU8Transformer;QDQSelectorActionTransformer;Avx2WeightS8ToU8Transformer",
  "DQMatMulNBitsFusion;MatMulNBitsFusion;MatMulNBitsMlpFusion",
  "MatMulNBitsQkvFusion;MatMulIntegerToFloatFusion;DynamicQuantizeMatMulFusion",
  "BiasDropoutFusion;LabelEncoderFusion;EmbedLayerNormFusion",
  "CommonSubexpressionElimination;ConstantSharing;GeluFusionL1",
  "GeluFusionL2;FastGeluFusion;LayerNormFusionL1",
  "LayerNormFusionL2;SimplifiedLayerNormFusion;AttentionFusion",
  "ReshapeFusion;GatherToSliceFusion;GatherSliceToSplitFusion",
  "SliceConcatToSpaceToDepthFusion;MatMulActivationFusion;GroupQueryAttentionFusion",
  "GroupQueryAttentionPreNormFusion;GqaValueLayoutTransformer",
] as const;

/** Whether nodes are in a program that others wrote, and not for these kernels. */
function hasOthersNodes({ values }: Program): boolean {
  return values.some((value) => isStep(value) && kernels[value.origin.op].asWritten);
}

/** What a session is given, by name. */
type Feeds = Record<string, OrtTensor>;

/** The engine's view of tensors, which copies nothing; made once, for weights are fed in every run. */
const views = new WeakMap<Tensor, OrtTensor>();

function viewOf(t: Tensor): OrtTensor {
  const known = views.get(t);
  if (known !== undefined) return known;
  const values = t.values ?? internal("a leaf has no values");
  const made = new OrtTensor(transportOf(t.dtype), values as never, t.shape);
  views.set(t, made);
  return made;
}

function sizeView(values: readonly number[], isScalar: boolean): OrtTensor {
  return new OrtTensor(
    "int64",
    BigInt64Array.from(values, BigInt),
    isScalar ? [] : [values.length],
  );
}

/** Everything from outside but what is left open and the weights that a session holds. */
function fixedFeeds(
  program: Program,
  within: Weights | undefined,
  open: ReadonlySet<number>,
): Feeds {
  const feeds: Feeds = {};
  if (within?.sized !== "all") {
    program.sizes.forEach((values, slot) => {
      feeds[sizeName(slot)] = sizeView(values, program.scalarSizes.has(slot));
    });
  }
  program.values.forEach((value, id) => {
    if (isStep(value) || within?.ids.has(id) === true || open.has(id)) return;
    feeds[inputName(id)] = viewOf(value.tensor);
  });
  return feeds;
}

/** A session of ONNX Runtime for a program. */
class OrtExecutable implements Executable {
  readonly #session: InferenceSession;
  readonly #within: Weights | undefined;

  constructor(session: InferenceSession, within: Weights | undefined) {
    this.#session = session;
    this.#within = within;
  }

  bind(program: Program, open: ReadonlySet<number>): BoundProgram {
    const fixed = fixedFeeds(program, this.#within, open);
    const names = program.outputs.map((_, i) => outputName(i));
    const named = new Map<number, string>([
      ...(program.each ?? []).map((id) => [id, eachName(id)] as const),
      ...(program.feedback ?? []).map(({ input }) => [input, initialName(input)] as const),
    ]);
    return {
      run: (inputs, times) => {
        if (inputs.size === 0 && program.feedback === undefined) return this.#run(fixed, names);
        const feeds = { ...fixed };
        for (const [id, t] of inputs) feeds[named.get(id) ?? inputName(id)] = viewOf(t);
        if (program.feedback !== undefined) feeds[TIMES] = sizeView([times], true);
        return this.#run(feeds, names);
      },
    };
  }

  async release(): Promise<void> {
    await this.#session.release();
  }

  async #run(feeds: Feeds, names: readonly string[]): Promise<HostValue[]> {
    try {
      const results = await this.#session.run(feeds, names);
      await takeTurns();
      return names.map((name) => {
        const { dims, data } = results[name] ?? internal(`no output ${name}`);
        return { shape: dims, data: data as TypedArray };
      });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new TensorError(explainFailure(reason), { cause });
    }
  }
}

/** ONNX Runtime, in Node or in a browser: programs become ONNX models, each of which is a session. */
export class OrtBackend implements Backend {
  readonly name: string;
  readonly weightBytes: number;

  constructor(name: string, weightBytes: number) {
    this.name = name;
    this.weightBytes = weightBytes;
  }

  async compile(program: Program, { weights, threads }: CompileOptions): Promise<Executable> {
    const { model, externalData } = compileModel(program, weights);
    const session = await InferenceSession.create(model, {
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
      ...(externalData.length === 0 ? {} : { externalData }),
      graphOptimizationLevel: "all",
      // What goes wrong is thrown; ONNX Runtime need not print it too.
      logSeverityLevel: 4,
      extra: {
        ...(hasOthersNodes(program)
          ? {}
          : { optimization: { disable_specified_optimizers: NO_OPTIMIZERS.join(";") } }),
        // Threads wait busily for the next operation, but not for the next run.
        session: { force_spinning_stop: "1" },
      },
    });
    return new OrtExecutable(session, weights);
  }
}
