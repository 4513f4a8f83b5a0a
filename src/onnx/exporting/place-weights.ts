import { internal } from "../../base/errors.ts";
import type { ExportedGraph } from "../../runtime/emit/export-program.ts";
import type { OnnxExternalTensor, OnnxGraph, OnnxTensor } from "../../runtime/onnx/model.ts";

/** A graph that says where all weights are, and the files that some are in. */
export interface PlacedGraph {
  readonly graph: OnnxGraph;
  /** Bytes by the name of the file. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Weights begin at multiples of this many bytes, as a system's memory pages do, and can be mapped. */
const ALIGNMENT = 4096;

type Initializer = OnnxTensor | OnnxExternalTensor;

/** All weights within the model itself. */
export function inModel({ graph, weights }: ExportedGraph): PlacedGraph {
  const inside = ({ name, dtype, dims }: OnnxExternalTensor): OnnxTensor => ({
    name,
    dtype,
    dims,
    data: weights.get(name) ?? internal(`no bytes of ${name}`),
  });
  return { graph: replaced(graph, inside), files: new Map() };
}

/** All weights in a file of their own. */
export function inOwnFile({ graph, weights }: ExportedGraph, file: string): PlacedGraph {
  const offsets = new Map<string, number>();
  let end = 0;
  for (const [name, { byteLength }] of weights) {
    offsets.set(name, end);
    end = Math.ceil((end + byteLength) / ALIGNMENT) * ALIGNMENT;
  }
  const bytes = new Uint8Array(end);
  for (const [name, data] of weights) bytes.set(data, offsets.get(name));
  const outside = (tensor: OnnxExternalTensor): OnnxExternalTensor => {
    const offset = offsets.get(tensor.name) ?? internal(`no place of ${tensor.name}`);
    return { ...tensor, external: { ...tensor.external, location: file, offset } };
  };
  return { graph: replaced(graph, outside), files: new Map([[file, bytes]]) };
}

function replaced(graph: OnnxGraph, place: (tensor: OnnxExternalTensor) => Initializer): OnnxGraph {
  const initializers = (graph.initializers ?? []).map((tensor) =>
    "external" in tensor ? place(tensor) : tensor,
  );
  return { ...graph, initializers };
}
