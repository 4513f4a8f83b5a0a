import path from "node:path";
import { moduleSpecifiers } from "./module-specifiers.ts";

/** The folders of `src/`, each of which imports only from itself and from those before it. */
export const LAYERS = [
  "base",
  "tensor",
  "runtime",
  "nn",
  "optim",
  "files",
  "formats",
  "tokenizers",
  "plots",
  "models",
  "onnx",
  "interventions",
  "intervenable",
  "causal",
  "training",
  "analysis",
  "tasks",
  "worker",
  "cli",
] as const;

/** A folder of `src/`. */
export type Layer = (typeof LAYERS)[number];

/**
 * The rooms of a layer, each of which imports only from itself and from those before it; types may
 * be named from any, and files that stand in the layer itself may be imported from everywhere in it.
 */
export const ROOMS: { readonly [layer: string]: readonly string[] } = {
  tensor: ["ops", "functions", "gradients", "random", "linalg"],
  runtime: ["onnx", "program", "emit", "ort"],
  formats: ["safetensors", "torch", "numpy", "quantization", "onnx"],
  tokenizers: ["jinja", "pipeline"],
  models: ["settings", "generation", "model", "parts", "families", "composites", "catalogue"],
  onnx: ["operators", "exporting"],
  interventions: ["featurizers", "reft"],
  intervenable: ["sites", "config", "units", "call", "generation", "explain", "saving", "grid"],
  training: ["data", "frozen", "loop", "alignment", "probes"],
  analysis: [
    "data",
    "results",
    "metrics",
    "sweep",
    "tracing",
    "residual",
    "paths",
    "lenses",
    "attention",
    "steering",
    "autoencoders",
    "attribution",
    "circuits",
  ],
};

/**
 * Rooms whose folders import nothing from each other, types included, so that each can be read and
 * changed alone.
 */
export const APART: readonly string[] = ["models/families", "models/composites"];

const ENTRY = "index.ts";
/** Writes ONNX models: the benchmarks' floor is one that is written by hand. */
const ONNX = "src/runtime/onnx/";
const PACKAGE = "tsvene";

/**
 * Lists what a file imports against the rules of the layers, one message per import.
 *
 * Files of `src/` follow {@link LAYERS}; every other file uses only what the package exports.
 *
 * @param file - Path from the root of the repository, with `/` between its parts.
 * @param code - Text of the file.
 */
export function layerViolations(file: string, code: string): string[] {
  const check = file.startsWith("src/") ? sourceRule : outsideRule;
  return moduleSpecifiers(file, code).flatMap(({ name, line, isType }) => {
    const rule =
      check(file, name) ?? folderRule(file, name) ?? (isType ? undefined : roomRule(file, name));
    return rule === undefined ? [] : [`${file}:${line}: imports "${name}": ${rule}`];
  });
}

function outsideRule(file: string, name: string): string | undefined {
  const target = resolve(file, name);
  if (!target?.startsWith("src/")) return undefined;
  if (file.startsWith("benchmarks/") && target.startsWith(ONNX)) return undefined;
  return `files outside src/ use only what the package exports; import from "${PACKAGE}"`;
}

function sourceRule(file: string, name: string): string | undefined {
  const target = resolve(file, name);
  return target === undefined ? packageRule(file, name) : fileRule(file, target);
}

function fileRule(file: string, target: string): string | undefined {
  if (!target.startsWith("src/")) return "files of src/ import nothing from outside src/";
  if (target === `src/${ENTRY}`) return `src/${ENTRY} is the way in for users; import the file`;
  const from = layerOf(file);
  if (from === undefined) return undefined;
  const to = layerOf(target) ?? "";
  const layers: readonly string[] = LAYERS;
  for (const layer of [from, to]) {
    if (!layers.includes(layer)) {
      return `src/${layer} is not a layer; add it to LAYERS in scripts/layers.ts`;
    }
  }
  if (layers.indexOf(to) <= layers.indexOf(from)) return undefined;
  const allowed = layers.slice(0, layers.indexOf(from) + 1).join(", ");
  return `layer ${from} may import only from ${allowed}; not from ${to}`;
}

function roomRule(file: string, name: string): string | undefined {
  const layer = layerOf(file);
  const target = resolve(file, name);
  if (layer === undefined || target === undefined || layerOf(target) !== layer) return undefined;
  const rooms = ROOMS[layer] ?? [];
  const [from, to] = [roomOf(file), roomOf(target)];
  if (from === undefined || to === undefined || from === to) return undefined;
  for (const room of [from, to]) {
    if (rooms.length > 0 && !rooms.includes(room)) {
      return `src/${layer}/${room} is not a room; add it to ROOMS in scripts/layers.ts`;
    }
  }
  if (rooms.indexOf(to) <= rooms.indexOf(from)) return undefined;
  return `room ${layer}/${from} may import only from ${rooms.slice(0, rooms.indexOf(from) + 1).join(", ")}`;
}

function folderRule(file: string, name: string): string | undefined {
  const [layer = "", room = "", from = ""] = partsOf(file);
  const [otherLayer, otherRoom, to] = partsOf(resolve(file, name) ?? "");
  const apart = APART.includes(`${layer}/${room}`);
  if (!apart || layer !== otherLayer || room !== otherRoom || from === to) return undefined;
  return `${room}/${from} imports nothing from another folder of ${room}; what both use is a part`;
}

/** The folders below `src/` that a file is in, and the file. */
function partsOf(file: string): string[] {
  return file.split("/").slice(1);
}

/** The folder below a layer, or undefined for a file that stands in the layer itself. */
function roomOf(file: string): string | undefined {
  const [, , room, rest] = file.split("/");
  return rest === undefined ? undefined : room;
}

function packageRule(file: string, name: string): string | undefined {
  const layer = layerOf(file);
  if (name === PACKAGE) return "files of src/ import each other by relative path";
  if (layer !== "runtime" && (name === "#ort" || name.startsWith("onnxruntime-"))) {
    return "only the layer runtime knows ONNX Runtime";
  }
  if (layer === "tensor" && name.startsWith("node:")) return "the layer tensor does no I/O";
  return undefined;
}

/** The folder below `src/`, or undefined for a file that stands in `src/` itself. */
function layerOf(file: string): string | undefined {
  const [, layer, rest] = file.split("/");
  return rest === undefined ? undefined : layer;
}

function resolve(file: string, name: string): string | undefined {
  return name.startsWith(".") ? path.posix.join(path.posix.dirname(file), name) : undefined;
}
