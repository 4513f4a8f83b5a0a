import { ENGINE, type InferenceSession, type Tensor as OrtTensor } from "#ort";
import type { Device } from "../../tensor/device.ts";
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
  hasOthersNodes,
  initialName,
  inputName,
  outputName,
  sizeName,
  TIMES,
} from "../emit/compile.ts";
import { transportOf } from "../emit/carriers.ts";
import type { Weights } from "../emit/packing.ts";
import type { Program } from "../program/program.ts";
import { isStep } from "../program/step.ts";
import { COPY, DeviceCopies } from "./device-copies.ts";
import { DEVICE_ROWS, type DeviceRow } from "./device-rows.ts";
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

/** What a session is given, by name; what is on its way to a device comes later. */
type Feeds = Record<string, OrtTensor | Promise<OrtTensor>>;

/** How a tensor is handed to the engine. */
type View = (t: Tensor) => OrtTensor | Promise<OrtTensor>;

/** The engine's builds, from when they are first asked for, by devices. */
const loading = new Map<Device, Promise<Ort>>();
let loaded: Ort | undefined;

/** Loads the engine. What it is started with is fixed from then on. */
async function load(device: Device): Promise<Ort> {
  const asked = loading.get(device) ?? ENGINE.load(device);
  loading.set(device, asked);
  try {
    const ort = await asked;
    loaded ??= ort;
    return ort;
  } catch (cause) {
    // The next call may find the network again.
    loading.delete(device);
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
  view: View,
): Feeds {
  const feeds: Feeds = {};
  if (within?.sized !== "all") {
    program.sizes.forEach((values, slot) => {
      feeds[sizeName(slot)] = sizeView(values, program.scalarSizes.has(slot));
    });
  }
  program.values.forEach((value, id) => {
    if (isStep(value) || within?.ids.has(id) === true || open.has(id)) return;
    feeds[inputName(id)] = view(value.tensor);
  });
  return feeds;
}

async function arrived(feeds: Feeds): Promise<Record<string, OrtTensor>> {
  const named = Object.entries(feeds).map(async ([name, feed]) => [name, await feed] as const);
  return Object.fromEntries(await Promise.all(named));
}

/** What a session needs of the backend that made it. */
interface Host {
  readonly view: View;
  /** Whether what it is fed may still be on its way. */
  readonly holds: boolean;
  /** Does something when it is its turn. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

/** A session of ONNX Runtime for a program. */
class OrtExecutable implements Executable {
  readonly #session: InferenceSession;
  readonly #within: Weights | undefined;
  readonly #host: Host;

  constructor(session: InferenceSession, within: Weights | undefined, host: Host) {
    this.#session = session;
    this.#within = within;
    this.#host = host;
  }

  bind(program: Program, open: ReadonlySet<number>): BoundProgram {
    const { view } = this.#host;
    const fixed = fixedFeeds(program, this.#within, open, view);
    const names = program.outputs.map((_, i) => outputName(i));
    const named = new Map<number, string>([
      ...(program.each ?? []).map((id) => [id, eachName(id)] as const),
      ...(program.feedback ?? []).map(({ input }) => [input, initialName(input)] as const),
    ]);
    return {
      run: (inputs, times) => {
        if (inputs.size === 0 && program.feedback === undefined) return this.#run(fixed, names);
        const feeds = { ...fixed };
        for (const [id, t] of inputs) feeds[named.get(id) ?? inputName(id)] = view(t);
        if (program.feedback !== undefined) feeds[TIMES] = sizeView([times], true);
        return this.#run(feeds, names);
      },
    };
  }

  async release(): Promise<void> {
    await this.#host.inTurn(() => this.#session.release());
  }

  async #run(feeds: Feeds, names: readonly string[]): Promise<HostValue[]> {
    try {
      const ready = this.#host.holds ? await arrived(feeds) : (feeds as Record<string, OrtTensor>);
      const results = await this.#host.inTurn(() => this.#session.run(ready, names));
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
  readonly name: string;
  readonly weightBytes: number;
  readonly #device: Device;
  readonly #row: DeviceRow;
  readonly #host: Host;
  #providers: readonly string[] | undefined;
  /** The run, or the making of a session, that others wait for. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param device Where its programs run. @default the processor */
  constructor(device: Device = "cpu") {
    this.#device = device;
    this.#row = DEVICE_ROWS[device];
    const { holds, provider } = this.#row;
    this.name = provider === undefined ? ENGINE.name : `${ENGINE.name} (${device})`;
    // Weights that live on the device need not lie in its programs too.
    this.weightBytes = holds ? 0 : ENGINE.weightBytes;
    const copies = new DeviceCopies({
      create: (model) => this.#create(model, { preferredOutputLocation: "gpu-buffer" }),
      inTurn: (work) => this.#host.inTurn(work),
    });
    this.#host = {
      holds,
      view: holds ? (t) => copies.of(t, viewOf(t)) : viewOf,
      inTurn: holds && ENGINE.runsFollow ? this.#inTurn : (work) => work(),
    };
  }

  configure(options: EngineOptions): void {
    const { executionProviders, threads, ...atStart } = options;
    if (threads !== undefined && !ENGINE.hasThreadsPerSession) {
      fail("configureRuntime", "threads: in a page, all programs share those of numThreads");
    }
    if (executionProviders !== undefined) checkProviders(ENGINE, executionProviders);
    const [late] = Object.keys(atStart);
    if (loading.size > 0 && late !== undefined) {
      fail(
        "configureRuntime",
        `${late}: the engine has started, which reads it once; set it before anything is computed`,
      );
    }
    ENGINE.configure(atStart);
    this.#providers = executionProviders ?? this.#providers;
  }

  async compile(program: Program, { weights, threads }: CompileOptions): Promise<Executable> {
    const { model, externalData } = compileModel(program, weights, this.#row.forms);
    // These optimisers are left out where no nodes can be that they look for.
    const left = hasOthersNodes(program) ? [] : NO_OPTIMIZERS;
    const session = await this.#create(model, {
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
      ...(externalData.length === 0 ? {} : { externalData }),
      extra: {
        ...(left.length === 0
          ? {}
          : { optimization: { disable_specified_optimizers: left.join(";") } }),
        // Threads wait busily for the next operation, but not for the next run.
        session: { force_spinning_stop: "1" },
      },
    });
    return new OrtExecutable(session, weights, this.#host);
  }

  /** @throws What the engine says where the device is not there. */
  async probe(): Promise<void> {
    const session = await this.#create(COPY, {});
    await session.release();
  }

  async #create(model: Uint8Array, options: SessionOptions): Promise<InferenceSession> {
    const ort = await load(this.#device);
    const { provider } = this.#row;
    const providers = provider === undefined ? this.#providers : [provider];
    return this.#host.inTurn(() =>
      createSession(ort, model, {
        ...options,
        ...(providers === undefined ? {} : { executionProviders: providers }),
        graphOptimizationLevel: "all",
        // What goes wrong is thrown; ONNX Runtime need not print it too.
        logSeverityLevel: 4,
      }),
    );
  }

  readonly #inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = this.#turn.then(work, work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  };
}

type SessionOptions = InferenceSession.SessionOptions;
