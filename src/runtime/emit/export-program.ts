import { internal } from "../../base/errors.ts";
import { fail } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { onnxDTypeCode } from "../onnx/element-types.ts";
import type { OnnxGraph, OnnxValue } from "../onnx/model.ts";
import { formulasOf, formulate, type Probes } from "../program/formulate.ts";
import type { Program } from "../program/program.ts";
import type { SizeFormula, SizeTerm } from "../program/size-formula.ts";
import { isStep, type Step } from "../program/step.ts";
import { carrierOf } from "./carriers.ts";
import { CPU_FORMS } from "./forms.ts";
import { GraphBuilder } from "./graph-builder.ts";
import { lowerStep, nameIn } from "./lower-step.ts";

/** An input of an exported program. */
export interface ExportedInput {
  readonly name: string;
  /** What stands for it in each of the programs. */
  readonly tensors: readonly Tensor[];
  /** Its sizes: a number is fixed, a text the name of one that may differ. */
  readonly dims: readonly (number | string)[];
}

/** What is to be exported: programs of one computation, for inputs of several sizes. */
export interface Exported extends Omit<Probes, "isInput"> {
  readonly inputs: readonly ExportedInput[];
  /** Names of the outputs. */
  readonly outputs: readonly string[];
  /** What weights are called; those without a name get a number. */
  readonly nameOf: (weight: Tensor) => string | undefined;
}

/** A graph with its weights beside it. */
export interface ExportedGraph {
  readonly graph: OnnxGraph;
  /** The bytes of weights, by the names of the initializers. */
  readonly weights: ReadonlyMap<string, Uint8Array>;
}

/**
 * Writes a computation as an ONNX graph that stands by itself: weights are inside, inputs and outputs have
 * names, and all sizes follow from those of the inputs.
 *
 * @throws TensorError where sizes follow from those of the inputs in no way that is known.
 */
export function exportProgram(caller: string, exported: Exported): ExportedGraph {
  const graph = new GraphBuilder();
  const program = exported.programs[0] ?? internal("nothing is exported");
  const inputs = new Map(
    exported.inputs.flatMap((input) => input.tensors.map((t) => [t, input] as const)),
  );
  const probes = { ...exported, isInput: (t: Tensor) => inputs.has(t) };
  const formulas = formulate(caller, probes);
  const sizes = new SizeNodes(graph, exported.inputs);
  for (const { name, dims, tensors } of exported.inputs) {
    graph.input(name, (tensors[0] ?? internal("an input without a tensor")).dtype, dims);
  }
  const names: string[] = [];
  const context = {
    graph,
    forms: CPU_FORMS,
    names,
    addsWithin: true,
    sized: exported.probed.length === 0,
    isBuiltIn: (id: number) => isWeight(program, id, probes.isInput),
    sizesOf: (step: Step, id: number) =>
      step.sizes.map((slot, operand) =>
        sizes.list(formulas.sizes.get(id)?.[operand] ?? [], program.scalarSizes.has(slot)),
      ),
  };
  program.values.forEach((value, id) => {
    if (isStep(value)) names.push(lowerStep(context, value, id));
    else {
      const numbers = formulas.numbers.get(id);
      const given = inputs.get(value.tensor)?.name;
      if (numbers !== undefined) names.push(sizes.numbers(numbers, value.tensor));
      else names.push(given ?? weight(graph, exported, value.tensor, id));
    }
  });
  const outputs = exported.outputs.map((name, i) => {
    graph.output(nameIn(names, program.outputs[i] ?? -1), name);
    return outputValue(probes, name, i);
  });
  const written = graph.graph(outputs);
  requireNamesApart(caller, written);
  return {
    graph: written,
    weights: new Map(graph.externalData.map(({ path, data }) => [path, data])),
  };
}

function isWeight({ values }: Program, id: number, isInput: (t: Tensor) => boolean): boolean {
  const value = values[id];
  return value !== undefined && !isStep(value) && !isInput(value.tensor);
}

function weight(graph: GraphBuilder, { nameOf }: Exported, t: Tensor, id: number): string {
  return graph.weight(nameOf(t) ?? `constant_${id}`, t, carrierOf(t.dtype));
}

function outputValue(probes: Probes, name: string, i: number): OnnxValue {
  const target = ({ targets }: Program): Tensor => targets[i] ?? internal(`no output ${i}`);
  const { dtype, shape } = target(probes.programs[0] ?? internal("nothing is exported"));
  const formulas = formulasOf(probes, (program) => target(program).shape);
  return { name, dtype, dims: formulas?.map(shownDim) ?? shape.map(() => "") };
}

/** A size of an output, as far as a file says it: a number or one of the names. */
function shownDim(formula: SizeFormula): number | string {
  const [{ factor, names } = { factor: 0, names: [] }, ...rest] = formula;
  if (rest.length > 0 || names.length > 1) return "";
  const [name] = names;
  if (name === undefined) return factor;
  return factor === 1 ? name : "";
}

/** Names of inputs, weights and results are one space in a file. */
function requireNamesApart(caller: string, { inputs, initializers = [], nodes }: OnnxGraph): void {
  const seen = new Set<string>();
  const made = nodes.flatMap(({ outputs }) => outputs);
  for (const name of [...inputs, ...initializers].map((value) => value.name ?? "").concat(made)) {
    if (seen.has(name)) fail(caller, `two values of the file would be called ${JSON.stringify(name)}; name the input or output otherwise`); // prettier-ignore
    seen.add(name);
  }
}

/** Writes sizes as nodes that compute them from the shapes of the inputs. */
class SizeNodes {
  readonly #graph: GraphBuilder;
  readonly #inputs: readonly ExportedInput[];

  constructor(graph: GraphBuilder, inputs: readonly ExportedInput[]) {
    this.#graph = graph;
    this.#inputs = inputs;
  }

  /** A list of sizes, or the one that is a number by itself. */
  list(formulas: readonly SizeFormula[], isScalar: boolean): string {
    const fixed = formulas.map(constantOf);
    if (fixed.every((n) => n !== undefined)) {
      return this.#graph.constant(fixed, "int64", isScalar ? [] : [fixed.length]);
    }
    const sizes = formulas.map((formula) => this.#size(formula));
    const [only = internal("no size")] = sizes;
    if (isScalar) return this.#graph.node("Squeeze", [only]);
    return sizes.length === 1 ? only : this.#graph.node("Concat", sizes, { axis: { int: 0 } });
  }

  /** Numbers of a tensor, in its element type. */
  numbers(formulas: readonly SizeFormula[], { dtype, shape }: Tensor): string {
    const whole = this.list(formulas, shape.length === 0);
    if (dtype === "int64") return whole;
    return this.#graph.node("Cast", [whole], { to: { int: onnxDTypeCode(dtype) } });
  }

  /** A list of the one size. */
  #size(formula: SizeFormula): string {
    const [first = this.#graph.ints([0]), ...rest] = formula.map((term) => this.#term(term));
    return rest.reduce((sum, term) => this.#graph.node("Add", [sum, term]), first);
  }

  #term({ factor, names }: SizeTerm): string {
    const factors = [
      ...names.map((name) => this.#dimension(name)),
      ...(factor === 1 && names.length > 0 ? [] : [this.#graph.ints([factor])]),
    ];
    return factors.reduce((product, next) => this.#graph.node("Mul", [product, next]));
  }

  #dimension(name: string): string {
    const input = this.#inputs.find(({ dims }) => dims.includes(name)) ?? internal(`no size ${name}`); // prettier-ignore
    const axis = input.dims.indexOf(name);
    return this.#graph.node("Shape", [input.name], {
      start: { int: axis },
      end: { int: axis + 1 },
    });
  }
}

function constantOf(formula: SizeFormula): number | undefined {
  const [term, ...rest] = formula;
  if (term === undefined) return 0;
  return rest.length === 0 && term.names.length === 0 ? term.factor : undefined;
}
