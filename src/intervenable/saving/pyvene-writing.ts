import { fail } from "../../interventions/errors.ts";
import { Intervention } from "../../interventions/intervention.ts";
import { interventionName } from "../../interventions/names.ts";
import { isLibraryIntervention, pythonModuleOf } from "../../interventions/registry.ts";
import { checkRelativePath } from "../../files/file-source.ts";
import { encodeTorchFile } from "../../formats/torch/save-torch-file.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { warn } from "../../base/warn.ts";
import type { Representation } from "../config/representation-config.ts";
import {
  type Dims,
  dialectOf,
  hasFile,
  isConstant,
  type RowOptions,
  isTwoApart,
  unsaidOptions,
} from "./pyvene-dialect.ts";
import { classOf, type SavedModel } from "./saved-model.ts";

/** Name of pyvene's file of settings. */
export const CONFIG = "config.json";

/** The release of transformers whose way of writing settings this is; pyvene writes that it ran on. */
const TRANSFORMERS_VERSION = "5.18.0";

/** The file that has the parameters under a key of pyvene's. */
export function binName(key: string): string {
  return `intkey_${key}.bin`;
}

/** The name of a class as pyvene's files have it. */
function typeText(intervention: Intervention): string {
  const kind = classOf(intervention);
  const name = interventionName(kind);
  const home = pythonModuleOf(kind);
  if (home !== undefined) return `<class '${home}.${name}'>`;
  // Registered under a name with dots, it has that of its module in Python.
  return `<class '${name.includes(".") ? name : `__main__.${name}`}'>`;
}

/** A part of a partition as pyvene reads it, to which exactly two numbers are a range. */
function asPyvenePart(part: unknown): unknown {
  if (!Array.isArray(part)) {
    const { from, to } = part as { readonly from: number; readonly to: number };
    return [from, to];
  }
  if (isTwoApart(part)) return [...part, part[1]];
  const [first, second] = part as readonly number[];
  return part.length === 2 ? [first, Number(second) + 1] : part;
}

function partitionOf(options: object): unknown {
  const { subspacePartition: parts } = options as { readonly subspacePartition?: unknown };
  return Array.isArray(parts) ? parts.map(asPyvenePart) : null;
}

/** A representation as pyvene's files have it: 14 values, in the order of its fields. */
function row(representation: Representation, intervention: Intervention): readonly unknown[] {
  const { layer, component, unit, maxNumberOfUnits } = representation;
  const { groupKey, interventionLinkKey, moeKey } = representation;
  const options = Intervention.optionsOf(intervention);
  const { lowRankDimension, latentDim } = dialectOf(classOf(intervention)).toRow(
    options as RowOptions,
  );
  const isHidden = intervention.sourceRepresentation !== undefined;
  return [
    layer,
    component,
    unit,
    maxNumberOfUnits,
    lowRankDimension ?? null,
    null,
    null,
    partitionOf(options),
    groupKey ?? null,
    interventionLinkKey ?? null,
    moeKey ?? null,
    null,
    isHidden ? true : null,
    latentDim ?? null,
  ];
}

function dimsOf(intervention: Intervention): Dims {
  return dialectOf(classOf(intervention)).dimsToPyvene(intervention.interchangeDim);
}

/** JSON as Python writes it: characters beyond ASCII by their numbers. */
function pythonJson(value: unknown): string {
  const text = JSON.stringify(value, null, 2).replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `${text}\n`;
}

/** The `config.json` that pyvene writes of the same interventions. */
export function pyveneConfig({ mode, places }: SavedModel): string {
  const interventions = places.map(({ intervention }) => intervention);
  return pythonJson({
    intervention_constant_sources: interventions.map(isConstant),
    intervention_dimensions: interventions.map((intervention) => dimsOf(intervention) ?? null),
    intervention_types: interventions.map(typeText),
    mode,
    representations: places.map(({ representation, intervention }) =>
      row(representation, intervention),
    ),
    sorted_keys: places.map(({ representation }) => representation.key),
    transformers_version: TRANSFORMERS_VERSION,
  });
}

function dimsTensor(dims: NonNullable<Dims>): Tensor {
  const list = [dims].flat();
  return Tensor.fromData(BigInt64Array.from(list, BigInt), typeof dims === "number" ? [] : [list.length]); // prettier-ignore
}

/** Parameters and buffers under pyvene's names. */
function pyveneState(intervention: Intervention): Map<string, Tensor> {
  const { stateToPyvene } = dialectOf(classOf(intervention));
  if (stateToPyvene !== undefined) return stateToPyvene(intervention);
  const state = new Map(Object.entries(intervention.stateDict()));
  const dims = dimsOf(intervention);
  if (dims !== undefined) state.set("interchange_dim", dimsTensor(dims));
  return state;
}

/**
 * pyvene's files of parameters.
 *
 * @param isWanted - Which interventions. @default those of which pyvene's `save` writes one
 * @throws InterventionError for a key that is no name of a file.
 */
export async function pyveneBins(
  op: string,
  { places }: Pick<SavedModel, "places">,
  isWanted: (intervention: Intervention) => boolean = hasFile,
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const { representation, intervention } of places) {
    if (!isWanted(intervention)) continue;
    const name = binName(representation.key);
    checkRelativePath(name, op);
    if (name.includes("/")) {
      fail(op, `${representation.key} cannot be the name of a file; choose a unit without "/"`);
    }
    files.set(name, await encodeTorchFile(pyveneState(intervention)));
  }
  return files;
}

/** Says what Python will not see of what is saved. */
export function warnOfUnsaid(op: string, { places }: SavedModel): void {
  for (const { representation, intervention } of places) {
    const kind = classOf(intervention);
    if (!isLibraryIntervention(kind)) continue;
    const unsaid = unsaidOptions(intervention);
    if (representation.source !== undefined) unsaid.push("source");
    if (unsaid.length === 0) continue;
    warn(
      op,
      `pyvene cannot be told ${unsaid.join(", ")} of "${representation.name}" (${kind.name}), so that ` +
        "what Python computes may differ; tsvene reads all of it again",
    );
  }
}
