import { ENGINE, type InferenceSession, type Tensor as OrtTensor } from "#ort";
import type { TypedArray } from "../../tensor/dtype.ts";
import { fail, internal } from "../../base/errors.ts";
import { TensorError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type {
  Backend,
  BoundProgram,
  CompileOptions,
  EngineOptions,
  Executable,
  HostValue,
} from "../backend.ts";
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
import { checkProviders, type Ort } from "./engine.ts";
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

/** The engine, from when it is first asked for. */
let loading: Promise<Ort> | undefined;
let loaded: Ort | undefined;

/** Loads the engine. What it is started with is fixed from then on. */
async function load(): Promise<Ort> {
  loading ??= ENGINE.load();
  try {
    loaded = await loading;
    return loaded;
  } catch (cause) {
    // The next call may find the network again.
    loading = undefined;
    throw new TensorError(`the engine ${ENGINE.name} could not be loaded: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** Makes a tensor of the engine, which has compiled what it is for. */
function ortTensor(
  dtype: OrtTensor.Type,
  values: OrtTensor.DataType,
  shape: readonly number[],
): OrtTensor {
  const { Tensor } = loaded ?? internal("the engine is not loaded");
  return new Tensor(dtype, values, shape);
}

/** The engine's view of tensors, which copies nothing; made once, for weights are fed in every run. */
const views = new WeakMap<Tensor, OrtTensor>();

function viewOf(t: Tensor): OrtTensor {
  const known = views.get(t);
  if (known !== undefined) return known;
  const values = t.values ?? internal("a leaf has no values");
  const made = ortTensor(transportOf(t.dtype), values as never, t.shape);
  views.set(t, made);
  return made;
}

function sizeView(values: readonly number[], isScalar: boolean): OrtTensor {
  return ortTensor("int64", BigInt64Array.from(values, BigInt), isScalar ? [] : [values.length]);
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
      await ENGINE.takeTurns();
      return names.map((name) => {
        const { dims, data } = results[name] ?? internal(`no output ${name}`);
        return { shape: dims, data: data as TypedArray };
      });
    } catch (cause) {
      throw new TensorError(explainFailure(messageOf(cause)), { cause });
    }
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** How a page's engine says that its WebAssembly did not come. */
const NO_ENGINE = /no available backend found/;

async function createSession(
  { InferenceSession: Session }: Ort,
  model: Uint8Array,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  try {
    return await Session.create(model, options);
  } catch (cause) {
    const reason = messageOf(cause);
    if (!NO_ENGINE.test(reason)) throw cause;
    throw new TensorError(
      `the engine ${ENGINE.name} could not be started: ${reason}\n` +
        "Its files lie beside the script that it is in, or where configureRuntime({ wasmPaths }) says; " +
        "a page's security policy must allow 'wasm-unsafe-eval'",
      { cause },
    );
  }
}

/** ONNX Runtime, in Node or in a browser: programs become ONNX models, each of which is a session. */
export class OrtBackend implements Backend {
  readonly name: string = ENGINE.name;
  readonly weightBytes: number = ENGINE.weightBytes;
  #providers: readonly string[] | undefined;

  configure(options: EngineOptions): void {
    const { executionProviders, threads, ...atStart } = options;
    if (threads !== undefined && !ENGINE.hasThreadsPerSession) {
      fail("configureRuntime", "threads: in a page, all programs share those of numThreads");
    }
    if (executionProviders !== undefined) checkProviders(ENGINE, executionProviders);
    const [late] = Object.keys(atStart);
    if (loading !== undefined && late !== undefined) {
      fail(
        "configureRuntime",
        `${late}: the engine has started, which reads it once; set it before anything is computed`,
      );
    }
    ENGINE.configure(atStart);
    this.#providers = executionProviders ?? this.#providers;
  }

  async compile(program: Program, { weights, threads }: CompileOptions): Promise<Executable> {
    const ort = await load();
    const { model, externalData } = compileModel(program, weights);
    const session = await createSession(ort, model, {
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
      ...(externalData.length === 0 ? {} : { externalData }),
      ...(this.#providers === undefined ? {} : { executionProviders: this.#providers }),
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
