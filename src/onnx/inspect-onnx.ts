import type { FileGraph, FileModel, FileValue } from "../formats/onnx/onnx-content.ts";
import { OnnxFile, type OnnxFileName, type OnnxFileOptions } from "../formats/onnx/onnx-file.ts";
import { elementBytes } from "../runtime/onnx/element-types.ts";
import { numel } from "../tensor/shape.ts";
import { operatorOf } from "./operators/table.ts";
import { upgraded } from "./upgrade.ts";

/** A value of an ONNX file, as far as the file says it. */
export interface InspectedValue {
  /** Its name, by which interventions find it. */
  readonly name: string;
  /** The operator that makes it; `"input"` and `"tensor"` for what no node makes. */
  readonly op: string;
  /** Element type, where the file says it. */
  readonly dtype: string | undefined;
  /** Sizes, or their names, where the file says them; `""` where it does not. */
  readonly dims: readonly (number | string)[] | undefined;
}

/** Values whose names begin alike, as layers have them. */
export interface InspectedScope {
  /** What is common to their names after what is around them, such as `"h.0"`. */
  readonly name: string;
  /** How many scopes look like this one, itself and those after it: layers of one kind. */
  readonly count: number;
  /** Name of the last of them. */
  readonly last: string;
  /** Values that are in no scope within. */
  readonly values: readonly InspectedValue[];
  /** The scopes within. */
  readonly scopes: readonly InspectedScope[];
}

/** What an ONNX file holds. */
export interface InspectedOnnx {
  /** What wrote it. */
  readonly producer: string;
  /** Versions of operators, by domain; `""` is ONNX's own. */
  readonly opsets: Readonly<Record<string, number>>;
  /** What is given to it. */
  readonly inputs: readonly InspectedValue[];
  /** What it gives. */
  readonly outputs: readonly InspectedValue[];
  /** How many nodes of each operator there are. */
  readonly operators: Readonly<Record<string, number>>;
  /** Operators that have no translation: ONNX Runtime computes them, and no gradient flows through. */
  readonly opaque: readonly string[];
  /** Bytes of its tensors. */
  readonly bytes: number;
  /** All values of nodes, by their scopes. */
  readonly tree: InspectedScope;
}

/**
 * Says what an ONNX file holds: values with shapes and types, as far as the file has them, grouped by the
 * scopes of their names, layers that look alike as one. No model is made, and no weights are read.
 *
 * @example
 * ```ts no-run
 * import { inspectOnnx } from "tsvene";
 * const { inputs, operators, tree } = await inspectOnnx("model.onnx");
 * console.log(inputs, operators, tree.scopes.map(({ name, count }) => `${name} x${count}`));
 * ```
 */
export async function inspectOnnx(
  file: OnnxFileName,
  options: OnnxFileOptions = {},
): Promise<InspectedOnnx> {
  const opened = await OnnxFile.open(file, options);
  await opened.close();
  return described(opened.model);
}

function described({ producer, producerVersion, opsets, graph }: FileModel): InspectedOnnx {
  const said = new Map([...graph.values, ...graph.outputs].map((value) => [value.name, value]));
  const counts = new Map<string, number>();
  for (const { domain, op } of nodesWithin(graph)) {
    const name = domain === "" ? op : `${domain}.${op}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const newest = upgraded(graph, opsets.get("") ?? 23);
  const opaque = nodesWithin(newest).filter((node) => operatorOf(node) === undefined);
  const held = new Set(graph.initializers.map(({ name }) => name));
  const values = graph.nodes.flatMap(({ op, outputs }) =>
    outputs.filter((name) => name !== "").map((name) => valueOf(name, op, said.get(name))),
  );
  return {
    producer: `${producer} ${producerVersion}`.trim(),
    opsets: Object.fromEntries(opsets),
    inputs: graph.inputs
      .filter(({ name }) => !held.has(name))
      .map((v) => valueOf(v.name, "input", v)),
    outputs: graph.outputs.map((v) => valueOf(v.name, "output", v)),
    operators: Object.fromEntries([...counts].sort(([, a], [, b]) => b - a)),
    opaque: [...new Set(opaque.map(({ op }) => op))],
    bytes: graph.initializers.reduce((sum, t) => sum + elementBytes(t.dtype, numel(t.dims)), 0),
    tree: treeOf(values),
  };
}

function nodesWithin(graph: FileGraph): FileGraph["nodes"] {
  return graph.nodes.flatMap((node) => {
    const inner = [...node.attributes.values()].flatMap((a) => ("graph" in a ? [a.graph] : []));
    return [node, ...inner.flatMap(nodesWithin)];
  });
}

function valueOf(name: string, op: string, said: FileValue | undefined): InspectedValue {
  return { name, op, dtype: said?.dtype, dims: said?.dims };
}

/** A scope while it is filled. */
interface Open {
  readonly values: InspectedValue[];
  readonly scopes: Map<string, Open>;
}

function treeOf(values: readonly InspectedValue[]): InspectedScope {
  const root: Open = { values: [], scopes: new Map() };
  for (const value of values) {
    let scope = root;
    for (const part of value.name.split("/").filter(Boolean).slice(0, -1)) {
      const inner = scope.scopes.get(part) ?? { values: [], scopes: new Map() };
      scope.scopes.set(part, inner);
      scope = inner;
    }
    scope.values.push(value);
  }
  return closed("", root);
}

function closed(name: string, { values, scopes }: Open): InspectedScope {
  const merged: InspectedScope[] = [];
  for (const scope of [...scopes].map(([inner, open]) => closed(inner, open))) {
    const before = merged.at(-1);
    if (before === undefined || alike(before) !== alike(scope)) merged.push(scope);
    else merged[merged.length - 1] = { ...before, count: before.count + 1, last: scope.name };
  }
  return { name, count: 1, last: name, values, scopes: merged };
}

/** Equal for scopes that are the same but for numbers in names. */
function alike({ name, values, scopes }: InspectedScope): string {
  const inner = scopes.map((scope) => `${alike(scope)}x${scope.count}`);
  return `${name.replaceAll(/\d+/g, "#")}(${values.map(({ op }) => op).join(" ")};${inner.join(" ")})`;
}
