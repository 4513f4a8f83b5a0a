import { requireKnownOptions } from "../../base/known-options.ts";
import { internal, TsveneError } from "../../base/errors.ts";
import type { FillFile } from "../../files/fill-file.ts";
import { requireNode } from "../../files/node.ts";
import { writeTogether } from "../../files/write-together.ts";
import { fail } from "../../nn/errors.ts";
import type { Module } from "../../nn/module.ts";
import { opsetOf } from "../../runtime/emit/compile.ts";
import { type ExportedGraph, exportProgram } from "../../runtime/emit/export-program.ts";
import { CPU_FORMS } from "../../runtime/emit/forms.ts";
import { encodeModel } from "../../runtime/onnx/encode.ts";
import { narrow } from "../../runtime/program/narrow.ts";
import { buildProgram, type Program } from "../../runtime/program/program.ts";
import { corners, type ProbedSize, type Sizes } from "../../runtime/program/size-formula.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { upstream } from "../../tensor/graph.ts";
import { Tensor } from "../../tensor/tensor.ts";
import {
  farSizes,
  namedDims,
  type NamedDims,
  type NamedTensors,
  planProbes,
  type ProbePlan,
  type Resized,
  resized,
} from "./probe-inputs.ts";
import { inOwnFile, inModel } from "./place-weights.ts";

/** What {@link exportOnnx} writes. */
export interface ExportOnnxOptions<Name extends string = string> {
  /** The model: its parameters and buffers give the weights in the file their names. */
  readonly model: Module;
  /** An example of each input, under the name that it has in the file. */
  readonly inputs: Readonly<Record<Name, Tensor>>;
  /**
   * Computes the outputs, a tensor or several by name; called for each of a few sizes of the inputs.
   * Here is where edits come in. Of what it gives, tensors under their own name become outputs; lists
   * and objects, such as hidden states, do not.
   *
   * @default calls the model with the inputs
   */
  readonly forward?: (inputs: Readonly<Record<Name, Tensor>>) => Tensor | object;
  /**
   * Names of the sizes that may differ from run to run, for each dimension of an input; `null` for one
   * that stays as in the example. Equal names are one size.
   *
   * @default all stay
   */
  readonly dynamic?: { readonly [K in Name]?: readonly (string | null)[] };
  /**
   * Whether weights go into a file of their own, which is called like the model's with `.data` after it.
   *
   * @default if there are more than 1 GiB of them: a model of 2 GiB is no ONNX file
   */
  readonly externalData?: boolean;
}

/** An ONNX model in memory. */
export interface OnnxBytes {
  /** The model. */
  readonly model: Uint8Array<ArrayBuffer>;
  /** What is kept beside it, by the name of its file; nothing if all is in the model. */
  readonly externalData: ReadonlyMap<string, Uint8Array>;
}

const OP = "exportOnnx";
const OPTIONS = { model: 1, inputs: 1, forward: 1, dynamic: 1, externalData: 1 } satisfies {
  readonly [K in keyof ExportOnnxOptions]-?: 1;
};

const MOST_INSIDE = 2 ** 30;

/**
 * Writes a model, with the edits that are made in it, as an ONNX file that stands by itself: weights
 * inside, inputs and outputs by name. Every runtime of ONNX with operators of version 23 reads it (26 for
 * models that are kept in bfloat16), such as onnxruntime on a server, on a phone or in a page.
 *
 * How the sizes inside follow from `dynamic` ones is found by computing the graph, without its numbers,
 * for a few sizes of each; a size that follows in no simple way is refused, and so is one whose change
 * makes other operations of the model. Values that the example's inputs have do not matter.
 *
 * @param file - Path of the file; missing folders are made, and an old file is replaced as a whole.
 * @throws ModelError for options that cannot be, an input that nothing depends on, or no output;
 * TensorError for sizes that cannot differ; FileSourceError if the file cannot be written.
 *
 * @example
 * ```ts no-run
 * import { AdditionIntervention, AutoModelForCausalLM, AutoTokenizer, IntervenableModel, tensor } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const steered = new IntervenableModel({ layer: 2, component: "block_output", intervention: AdditionIntervention }, model);
 * const { inputIds } = tokenizer.tokenize("The capital of Spain is");
 * const direction = tensor([Array.from({ length: 144 }, (_, i) => Math.sin(i))]);
 * await exportOnnx("steered.onnx", {
 *   model,
 *   inputs: { input_ids: inputIds },
 *   dynamic: { input_ids: ["batch", "length"] },
 *   forward: ({ input_ids }) =>
 *     steered.forward({ inputIds: input_ids }, { sourceRepresentations: direction }).intervened,
 * });
 * ```
 */
export async function exportOnnx<Name extends string>(
  file: string,
  options: ExportOnnxOptions<Name>,
): Promise<void> {
  const { path } = requireNode(`writing ${file}`);
  const name = path.basename(file);
  const { model, externalData } = await onnxBytes(options, name);
  const written = new Map([[name, model], ...externalData]);
  const files = new Map<string, FillFile>();
  for (const [part, bytes] of written) files.set(part, (write) => write(bytes));
  await writeTogether(path.dirname(file), { files });
}

/**
 * The bytes that {@link exportOnnx} writes, also in a page.
 *
 * @param name - Name that the model's file will have, by which it names the one with its weights.
 * @throws As {@link exportOnnx} does.
 */
export async function onnxBytes<Name extends string>(
  options: ExportOnnxOptions<Name>,
  name = "model.onnx",
): Promise<OnnxBytes> {
  requireKnownOptions(OP, options, OPTIONS);
  const exported = await exportedGraph(options);
  const bytes = [...exported.weights.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const { externalData = bytes > MOST_INSIDE } = options;
  const { graph, files } = externalData ? inOwnFile(exported, `${name}.data`) : inModel(exported); // prettier-ignore
  return { model: encodeModel(graph, { opset: opsetOf(graph, CPU_FORMS) }), externalData: files };
}

async function exportedGraph(options: ExportOnnxOptions): Promise<ExportedGraph> {
  const { model, inputs, dynamic = {} } = options;
  requireInputs(inputs);
  const dims = namedDims(OP, inputs, dynamic);
  await evaluate(...Object.values(inputs));
  const trace = (sizes: Sizes): Promise<Traced> => traced(options, resized(inputs, dims, sizes));
  const { probed, probes, checks } = await probe({ inputs, dims, trace });
  const names = weightNames(model);
  const all = [...probes, ...checks.map((checked) => checked.trace)];
  return exportProgram(OP, {
    probed,
    programs: probes.map(({ program }) => program),
    checks: checks.map(({ sizes, trace: { program } }) => ({ sizes, program })),
    inputs: Object.keys(inputs).map((name) => ({
      name,
      tensors: all.map((one) => one.inputs[name] ?? internal(`no input ${name}`)),
      dims: dims[name] ?? [],
    })),
    outputs: probes[0]?.outputs ?? [],
    nameOf: (weight) => names.get(weight),
  });
}

/** What is computed for several sizes of the inputs. */
interface Probed {
  readonly probed: readonly ProbedSize[];
  /** One for each of the corners of these sizes. */
  readonly probes: readonly Traced[];
  readonly checks: readonly { readonly sizes: Sizes; readonly trace: Traced }[];
}

/** Inputs, what their sizes are called, and what is computed of them in other sizes. */
interface Probing {
  readonly inputs: NamedTensors;
  readonly dims: NamedDims;
  readonly trace: (sizes: Sizes) => Promise<Traced>;
}

async function probe(probing: Probing): Promise<Probed> {
  const { inputs, dims, trace } = probing;
  const above = planProbes(inputs, dims, "above");
  const [example = {}] = corners(above.probed);
  const first = await trace(example);
  for (const name of Object.keys(inputs)) requireRead(name, first);
  if (above.probed.length === 0) return { probed: [], probes: [first], checks: [] };
  const near =
    (await unlessRefused(() => probeAs(probing, above, [first]))) ??
    (await probeAs(probing, planProbes(inputs, dims, "below"), []));
  for (const sizes of farSizes(inputs, dims, near.probed)) {
    const far = await unlessRefused(() => trace(sizes));
    if (far !== undefined) return { ...near, checks: [...near.checks, { sizes, trace: far }] };
  }
  return near;
}

/** @param known What is computed for the first of the corners, as far as it was before. */
async function probeAs(
  { trace }: Probing,
  { probed, check }: ProbePlan,
  known: readonly Traced[],
): Promise<Probed> {
  const probes = [...known];
  for (const sizes of corners(probed).slice(known.length)) probes.push(await trace(sizes));
  return { probed, probes, checks: [{ sizes: check, trace: await trace(check) }] };
}

/** What is computed, or undefined where a model takes no such sizes, as more positions than it has. */
async function unlessRefused<Result>(compute: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await compute();
  } catch (error) {
    if (error instanceof TsveneError) return undefined;
    throw error;
  }
}

/** One computation of the outputs. */
interface Traced {
  readonly inputs: NamedTensors;
  readonly outputs: readonly string[];
  readonly program: Program;
}

async function traced(
  { model, forward }: ExportOnnxOptions,
  { leaves, lazy }: Resized,
): Promise<Traced> {
  const call = forward ?? ((x: NamedTensors) => (Reflect.get(model, "forward") as (x: NamedTensors) => object).call(model, x)); // prettier-ignore
  const outputs = outputsOf(call(lazy));
  const tensors = outputs.map(([, t]) => t);
  // Parameters that were never computed would be computed, and handed out, by each run.
  await evaluate(
    ...[...upstream(tensors)].filter(
      ({ values, origin }) => values === undefined && origin?.keep === true,
    ),
  );
  return {
    inputs: leaves,
    outputs: outputs.map(([name]) => name),
    program: buildProgram(narrow(tensors)),
  };
}

function outputsOf(result: Tensor | object): readonly (readonly [string, Tensor])[] {
  if (result instanceof Tensor) return [["output", result]];
  const outputs = Object.entries(result).filter((entry): entry is [string, Tensor] => entry[1] instanceof Tensor); // prettier-ignore
  if (outputs.length > 0) return outputs;
  const got = Object.keys(result).join(", ");
  return fail(OP, `forward gave no tensor${got === "" ? "" : ` under its own name, only ${got}`}; give forward a function that returns the outputs by name, such as (inputs) => intervenable.forward(inputs).intervened`); // prettier-ignore
}

function requireInputs(inputs: unknown): asserts inputs is NamedTensors {
  const isNamed = typeof inputs === "object" && inputs !== null && !(inputs instanceof Tensor);
  const entries = isNamed ? Object.entries(inputs) : [];
  if (entries.length === 0) {
    fail(OP, "inputs must be example tensors by name, { inputIds: tensor }");
  }
  for (const [name, t] of entries) {
    if (!(t instanceof Tensor)) fail(OP, `input ${name} must be a tensor`);
    if (t.dtype === "bfloat16") fail(OP, `input ${name} is bfloat16, which callers of ONNX Runtime cannot give; use float32`); // prettier-ignore
  }
}

function requireRead(name: string, { inputs, program }: Traced): void {
  if (program.values.some(({ tensor }) => tensor === inputs[name])) return;
  fail(OP, `the outputs do not depend on the input ${JSON.stringify(name)}; leave it out, or make the outputs with it`); // prettier-ignore
}

function weightNames(model: Module): ReadonlyMap<Tensor, string> {
  const names = new Map<Tensor, string>();
  for (const [name, holder] of [...model.namedParameters(), ...model.namedBuffers()]) {
    for (const t of [holder.stored, holder.value]) if (!names.has(t)) names.set(t, name);
  }
  return names;
}
