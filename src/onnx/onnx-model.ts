import { describeValue } from "../base/describe-value.ts";
import { didYouMean, nearestNames } from "../base/nearest.ts";
import { requireKnownOptions } from "../base/known-options.ts";
import { graphsOf, ownNames } from "../formats/onnx/graphs-of.ts";
import type { FileGraph, FileModel, FileTensor, FileValue } from "../formats/onnx/onnx-content.ts";
import { OnnxFile, type OnnxFileName, type OnnxFileOptions } from "../formats/onnx/onnx-file.ts";
import { fail } from "../nn/errors.ts";
import { Module } from "../nn/module.ts";
import { isWatched } from "../nn/scope.ts";
import { remember } from "../runtime/remember.ts";
import { show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { DeclaredLooks } from "./declared-looks.ts";
import { type Facts, factsOf } from "./facts.ts";
import { dtypeHere, tensorOfBytes } from "./file-tensors.ts";
import { HeldWeight, type Weights, weightsModule } from "./held-weights.ts";
import type { Layout } from "./layout.ts";
import { Pass } from "./pass.ts";
import { OnnxPlace, type PlaceAxes } from "./place.ts";
import type { Ground } from "./trace.ts";
import { upgraded } from "./upgrade.ts";
import { knownNumbers, lifted, type Value } from "./values.ts";

/** Options of {@link OnnxModel.fromFile}. */
export interface OnnxModelOptions extends OnnxFileOptions {
  /**
   * Which dimensions of values are their rows and positions, by name or pattern (`*` stands for any
   * characters); interventions then see rows first. @default the first is the rows, the second the positions
   */
  readonly axes?: Readonly<Record<string, PlaceAxes>>;
  /** The outputs that `forward` gives, which may be any values of the file. @default the file's outputs */
  readonly outputs?: readonly string[];
}

/** What is given to an ONNX model: tensors by the names of its inputs, or the only one. */
export type OnnxInputs = Tensor | Readonly<Record<string, Tensor>>;

/** Facts that are remembered, each for inputs of other sizes. */
const MOST_FACTS = 32;

const OP = "OnnxModel";

/** Facts, and what they rest on beside the inputs' sizes. */
interface KnownFacts {
  /** What is known. */
  readonly facts: Facts;
  /** Numbers of small inputs, such as a sampling rate that chooses a branch. */
  readonly used: ReadonlyMap<string, string>;
}

/**
 * A model of an ONNX file, whoever wrote it, as a module: every value of the file is a place that
 * interventions read and edit by its own name, dots and slashes included, and so are its inputs and the
 * tensors that it holds.
 *
 * What nobody reads, edits or differentiates runs as the file has it, in ONNX Runtime; operators that the
 * library has no words for do so always. Weights are frozen at first: `requiresGrad()` has them trained.
 *
 * @example
 * ```ts no-run
 * import { IntervenableModel, OnnxModel, tensor, ZeroIntervention } from "tsvene";
 * const model = await OnnxModel.fromFile("model.onnx");
 * console.log(model.places("*mlp*"));
 * const edited = new IntervenableModel(
 *   { component: "/transformer/h.3/mlp/Gelu_output_0", intervention: ZeroIntervention },
 *   model,
 * );
 * const { intervened } = edited.forward({ input: tensor([[1, 2, 3]]) });
 * console.log(intervened);
 * ```
 */
export class OnnxModel extends Module {
  /** The tensors of the file, by its names: floats as parameters, others as buffers. */
  readonly weights: Weights;
  readonly #model: FileModel;
  readonly #graph: FileGraph;
  readonly #held: ReadonlyMap<string, HeldWeight>;
  readonly #names: ReadonlySet<string>;
  readonly #outputs: readonly string[];
  readonly #axes: readonly (readonly [RegExp, PlaceAxes])[];
  readonly #places = new Map<string, OnnxPlace>();
  readonly #layouts = new Map<string, Layout>();
  readonly #facts = new Map<string, KnownFacts[]>();
  readonly #looks: DeclaredLooks;

  private constructor(
    model: FileModel,
    graph: FileGraph,
    held: ReadonlyMap<string, HeldWeight>,
    { axes = {}, outputs }: OnnxModelOptions,
  ) {
    super();
    this.#model = model;
    this.#graph = graph;
    this.#held = held;
    this.#names = new Set(namesWithin(model.graph));
    this.#looks = new DeclaredLooks(graph);
    this.#axes = Object.entries(axes).map(([pattern, own]) => [patternOf(pattern), own] as const);
    this.#outputs = outputs ?? graph.outputs.map(({ name }) => name);
    for (const name of this.#outputs) this.#require(name, "output");
    this.weights = weightsModule([...held.values()].filter(({ name }) => this.#names.has(name)));
    this.training = false;
  }

  /**
   * Opens an ONNX file of any producer with operators of version 7 or later.
   *
   * @param file a path (Node only), a URL, or the file's content.
   * @throws OnnxFileError for what is no ONNX file, a damaged one, and one that contradicts itself;
   * FileSourceError where it cannot be read.
   */
  static async fromFile(file: OnnxFileName, options: OnnxModelOptions = {}): Promise<OnnxModel> {
    const known = { axes: true, files: true, outputs: true };
    requireKnownOptions(`${OP}.fromFile`, options, known);
    const opened = await OnnxFile.open(file, options);
    try {
      const version = opened.model.opsets.get("") ?? 23;
      const graph = await withBytes(opened, upgraded(opened.model.graph, version));
      const held = new Map<string, HeldWeight>();
      for (const tensor of tensorsWithin(graph)) {
        const bytes = tensor.bytes?.();
        if (bytes === undefined || dtypeHere(tensor.dtype) === undefined) continue;
        held.set(tensor.name, new HeldWeight(tensor, tensorOfBytes(tensor, bytes)));
      }
      return new OnnxModel(opened.model, graph, held, options);
    } finally {
      await opened.close();
    }
  }

  /** The same as {@link OnnxModel.fromFile} for content that is at hand. */
  static fromBytes(
    bytes: ArrayBuffer | Uint8Array | Blob,
    options: OnnxModelOptions = {},
  ): Promise<OnnxModel> {
    return OnnxModel.fromFile(bytes, options);
  }

  /** What the file says of its producer, its operators' versions and itself. */
  get file(): Pick<
    FileModel,
    "producer" | "producerVersion" | "opsets" | "metadata" | "description"
  > {
    return this.#model;
  }

  /** What is given to it: names, element types and sizes, which may be names as well. */
  get inputs(): readonly FileValue[] {
    return this.#graph.inputs.filter(({ name }) => !this.#held.has(name));
  }

  /** What the file says that it gives. */
  get outputs(): readonly FileValue[] {
    return this.#graph.outputs;
  }

  /**
   * Names of all places, in the order in which they are computed: inputs, the file's tensors, and the values
   * of its nodes.
   *
   * @param pattern names that fit; `*` stands for any characters. @default all
   */
  places(pattern = "*"): string[] {
    const fits = patternOf(pattern);
    return [...this.#names].filter((name) => fits.test(name));
  }

  /** @internal The place of a value. */
  override placeAt = (name: string): OnnxPlace => {
    this.#require(name, "value");
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const axes = this.#axes.find(([pattern]) => pattern.test(name))?.[1];
    const place = new OnnxPlace(name, axes);
    this.#places.set(name, place);
    return place;
  };

  /**
   * Runs the model.
   *
   * @param inputs tensors by the names of the file's inputs, or the only one.
   * @returns tensors by the names of the outputs.
   * @throws ModelError for inputs that are missing, unknown, or of another type or size than the file says.
   */
  override forward(inputs: OnnxInputs): Record<string, Tensor> {
    const given = this.#read(inputs);
    const watched = new Set<string>();
    for (const [name, place] of this.#places) if (isWatched(place)) watched.add(name);
    const ground = this.#ground(given, watched, () => undefined);
    const pass = new Pass(this.#factsFor(given), ground, this.#unlike());
    for (const [name, tensor] of given) {
      pass.give(name, watched.has(name) ? ground.pass(name, tensor) : tensor);
    }
    for (const name of watched) {
      const weight = this.#held.get(name);
      if (weight !== undefined) pass.give(name, ground.pass(name, weight.value));
    }
    pass.run(watched);
    return Object.fromEntries(this.#outputs.map((name) => [name, lifted(pass.value(name))]));
  }

  override describe(): string {
    const { producer } = this.#model;
    const written = producer === "" ? "" : `, written by ${producer}`;
    return `${this.#graph.nodes.length} nodes${written}`;
  }

  #require(name: string, what: string): void {
    if (this.#names.has(name)) return;
    const last = name.slice(name.lastIndexOf("/") + 1);
    const within = [...this.#names].filter((own) => last !== "" && own.includes(last));
    const names = within.length > 0 ? within : this.#names;
    fail(
      OP,
      `the file has no ${what} ${JSON.stringify(name)}; ${didYouMean(name, names)} places() lists all`,
    );
  }

  /** Weights that are not as the file has them, or are trained: they are inputs of what is computed. */
  #unlike(): string {
    const names = [...this.#held.values()].filter((w) => w.isMoved || w.requiresGrad);
    return names.map(({ name }) => name).join("|");
  }

  #ground(
    given: ReadonlyMap<string, Tensor>,
    watched: ReadonlySet<string>,
    noteUse: (value: Value) => void,
  ): Ground {
    return {
      weights: this.#held,
      valueOf: (name) => given.get(name),
      pass: (name, value) => {
        if (!watched.has(name)) return value;
        const before = lifted(value);
        const after = this.placeAt(name).pass(before);
        return after === before ? value : after;
      },
      noteUse,
      looksOf: (node, inputs) => this.#looks.of(node, inputs),
    };
  }

  #factsFor(given: ReadonlyMap<string, Tensor>): Facts {
    const small = [...this.#held.values()].filter((w) => w.isMoved && w.holder.stored.numel <= 64);
    const moved = small.map(({ name, tensor }) => `${name}=${String(tensor.values)}`);
    const sizes = [...given].map(([name, t]) => `${name}:${t.dtype}${show(t.shape)}`);
    const key = [...sizes, ...moved].join(" ");
    const same = this.#facts.get(key) ?? [];
    const known = same.find(({ used }) =>
      [...used].every(([name, numbers]) => numbers === spelledNumbers(given.get(name))),
    );
    if (known !== undefined) return known.facts;
    const names = new Map([...given].map(([name, t]) => [t as Value, name]));
    const used = new Map<string, string>();
    this.#looks.bind(given);
    const ground = this.#ground(given, new Set(), (value) => {
      const name = names.get(value);
      if (name !== undefined) used.set(name, spelledNumbers(given.get(name)));
    });
    const facts = factsOf(this.#graph, ground, this.#layouts);
    remember(this.#facts, key, [{ facts, used }, ...same].slice(0, MOST_FACTS), MOST_FACTS);
    return facts;
  }

  #read(inputs: OnnxInputs): ReadonlyMap<string, Tensor> {
    const wanted = this.inputs;
    const [only] = wanted;
    const isOne = inputs instanceof Tensor;
    if (isOne && (only === undefined || wanted.length !== 1)) {
      fail(
        OP,
        `forward got one tensor, and the file has the inputs ${described(wanted)}: give { name: tensor }`,
      );
    }
    if (!isOne && (typeof inputs !== "object" || inputs === null)) {
      fail(OP, `forward takes tensors by name, ${described(wanted)}; got ${describeValue(inputs)}`);
    }
    const byName: Readonly<Record<string, unknown>> = isOne
      ? { [only?.name ?? ""]: inputs }
      : inputs;
    const known = this.#graph.inputs.map(({ name }) => name);
    for (const [name, value] of Object.entries(byName)) {
      if (known.includes(name) || value === undefined) continue;
      const [nearest] = nearestNames(name, known, 1);
      fail(
        OP,
        `the file has no input ${JSON.stringify(name)}; the nearest is ${JSON.stringify(nearest)} of ${described(wanted)}`,
      );
    }
    const given = new Map<string, Tensor>();
    for (const value of this.#graph.inputs) {
      const tensor = byName[value.name];
      if (tensor === undefined && this.#held.has(value.name)) continue;
      given.set(value.name, checkedInput(value, tensor, wanted));
    }
    return given;
  }
}

/** The numbers of a small tensor, to be compared with others. */
function spelledNumbers(t: Tensor | undefined): string {
  const numbers = t && knownNumbers(t);
  return numbers === undefined ? "?" : numbers.join(",");
}

function described(values: readonly FileValue[]): string {
  const texts = values.map(({ name, dtype = "of a type", dims }) => {
    const sizes =
      dims === undefined ? "" : ` [${dims.map((d) => (d === "" ? "?" : d)).join(", ")}]`;
    return `${JSON.stringify(name)} ${dtype}${sizes}`;
  });
  return texts.join("; ");
}

function checkedInput(value: FileValue, tensor: unknown, all: readonly FileValue[]): Tensor {
  const { name, dtype, dims } = value;
  if (!(tensor instanceof Tensor)) {
    const got =
      tensor === undefined ? "is missing" : `must be a tensor, got ${describeValue(tensor)}`;
    return fail(OP, `the input ${JSON.stringify(name)} ${got}; the file has ${described(all)}`);
  }
  if (dtype !== undefined && dtypeHere(dtype) !== tensor.dtype) {
    fail(
      OP,
      `the input ${described([value])} got ${tensor.dtype}; write to(${JSON.stringify(dtypeHere(dtype))})`,
    );
  }
  const fits =
    dims === undefined ||
    (dims.length === tensor.ndim &&
      dims.every((d, i) => typeof d === "string" || d === tensor.shape[i]));
  if (!fits) fail(OP, `the input ${described([value])} got the shape ${show(tensor.shape)}`);
  return tensor;
}

/** Names of all values of a graph and of those within it. */
function namesWithin(graph: FileGraph): string[] {
  const inner = graph.nodes.flatMap((node) => graphsOf(node).flatMap(namesWithin));
  return [...ownNames(graph), ...inner];
}

/** All tensors that a graph and those within it hold. */
function tensorsWithin(graph: FileGraph): FileTensor[] {
  const inner = graph.nodes.flatMap((node) => graphsOf(node).flatMap(tensorsWithin));
  return [...inner, ...graph.initializers];
}

/** A graph whose tensors have their bytes at hand, those in other files too. */
async function withBytes(file: OnnxFile, graph: FileGraph): Promise<FileGraph> {
  const initializers = await Promise.all(
    graph.initializers.map(async (tensor) => {
      if (tensor.external === undefined) return tensor;
      const bytes = await file.read(tensor);
      return { ...tensor, bytes: () => bytes, external: undefined };
    }),
  );
  const nodes = await Promise.all(
    graph.nodes.map(async (node) => {
      if (graphsOf(node).length === 0) return node;
      const attributes = new Map(node.attributes);
      for (const [name, a] of attributes) {
        if ("graph" in a) attributes.set(name, { graph: await withBytes(file, a.graph) });
      }
      return { ...node, attributes };
    }),
  );
  return { ...graph, initializers, nodes };
}

/** A name, or a pattern of names in which `*` stands for any characters. */
function patternOf(pattern: string): RegExp {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s");
}
