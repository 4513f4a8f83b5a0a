import { fail } from "../../interventions/errors.ts";
import type { AnyInterventionClass, Intervention } from "../../interventions/intervention.ts";
import { isLibraryIntervention, registeredIntervention } from "../../interventions/registry.ts";
import { checkRelativePath, type FileSource } from "../../files/file-source.ts";
import { loadTorchFile } from "../../formats/torch/load-torch-file.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { Mode } from "../config/config.ts";
import type { InterventionLike } from "../config/intervention-kind.ts";
import { fieldsOfRow, type RowFields } from "../config/representation-row.ts";
import type { Blueprint, Part } from "./blueprint.ts";
import type { ReadState } from "./intervention-state.ts";
import { matchKeys } from "./pyvene-keys.ts";
import { classOf } from "./saved-model.ts";
import { type Dims, dialectOf } from "./pyvene-dialect.ts";
import { binName, CONFIG } from "./pyvene-writing.ts";

/** What reading needs beside the settings. */
export interface PyveneReading {
  /** What messages begin with. */
  readonly op: string;
  readonly files: FileSource;
  /** What replaces what the files say, by key. */
  readonly replaced: Readonly<Record<string, InterventionLike>>;
}

/** One intervention as `config.json` has it. */
interface Described {
  readonly key: string;
  readonly row: RowFields;
  readonly type: string;
  readonly dims: Dims;
  /** Whether its constant is in a file. */
  readonly hasConstant: boolean;
}

const HIDDEN_CONSTANT = 12;

function listIn(op: string, json: object, name: string): readonly unknown[] | undefined {
  const value = (json as Readonly<Record<string, unknown>>)[name];
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value;
  return fail(op, `${name} is not a list, as pyvene writes it`);
}

/** Columns that are options, as they are called in rows. */
function readRow(op: string, given: unknown, i: number): [RowFields, boolean] {
  if (!Array.isArray(given)) fail(op, `representation ${i} is not a row, as pyvene writes it`);
  const values: readonly unknown[] = given;
  const isHidden = values[HIDDEN_CONSTANT] === true;
  const open = values.map((value, column) => (column === HIDDEN_CONSTANT ? null : value));
  return [fieldsOfRow(open, `${op}: representation ${i}`), isHidden];
}

function isDims(value: unknown): value is Dims | null {
  const isDim = (dim: unknown): boolean => Number.isSafeInteger(dim) && Number(dim) >= 0;
  return value === null || value === undefined || isDim(value) || (Array.isArray(value) && value.every(isDim)); // prettier-ignore
}

function describe(op: string, json: object): Described[] {
  const given = listIn(op, json, "representations") ?? fail(op, "it has no representations");
  const types = listIn(op, json, "intervention_types") ?? fail(op, "it has no intervention_types");
  const dims = listIn(op, json, "intervention_dimensions");
  const constants = listIn(op, json, "intervention_constant_sources");
  if (types.length !== given.length) {
    fail(op, `it has ${types.length} intervention_types for ${given.length} representations`);
  }
  const rows = given.map((row, i) => readRow(op, row, i));
  const keys = matchKeys(
    op,
    rows.map(([row]) => row),
    listIn(op, json, "sorted_keys"),
  );
  return rows.map(([row, isHidden], i): Described => {
    const own = dims?.[i];
    if (!isDims(own)) fail(op, `intervention_dimensions[${i}] is no number of dimensions`);
    return {
      key: keys[i] ?? "",
      row,
      type: String(types[i]),
      dims: own ?? undefined,
      hasConstant: isHidden || constants?.[i] === true,
    };
  });
}

/** Modules of Python that have the classes of this library. */
const OF_PYVENE = /^(?:pyvene|models|align_transformers|pyreft|tsvene)\./;

/** The class that a file names, such as `<class 'pyvene.models.interventions.ZeroIntervention'>`. */
function classNamed(op: string, { key, type }: Described): AnyInterventionClass {
  const path = (/^<class '([\w.]+)'>$/.exec(type)?.[1] ?? type).slice(0, 200);
  const name = path.slice(path.lastIndexOf(".") + 1);
  if (name === "LambdaIntervention") {
    fail(
      op,
      `${key} is a function, which pyvene's files do not hold; give it: ` +
        `interventions: { "${key}": (base) => ... }`,
    );
  }
  const exact = registeredIntervention(path);
  if (exact !== undefined) return exact;
  const named = registeredIntervention(name);
  if (named !== undefined && (!isLibraryIntervention(named) || OF_PYVENE.test(path))) return named;
  return fail(
    op,
    `${key} is a ${path} of Python, of which nothing is run; write it as a class in TypeScript, and ` +
      `register it before loading: registerIntervention(${name}, "${path}")`,
  );
}

/** The parameters under a key, or undefined where there is no file of them. */
export async function readBin(
  op: string,
  files: FileSource,
  key: string,
): Promise<Map<string, Tensor> | undefined> {
  const name = binName(key);
  checkRelativePath(name, op);
  if (name.includes("/")) fail(op, `the key ${JSON.stringify(key)} leads into another directory`);
  if (!(await files.exists(name))) return undefined;
  const value = await loadTorchFile(await files.readBytes(name));
  const entries = value instanceof Map ? [...(value as ReadonlyMap<unknown, unknown>)] : [];
  const isState = entries.every(([, tensor]) => tensor instanceof Tensor);
  if (isState && entries.length > 0) return new Map(entries as [string, Tensor][]);
  return fail(op, `${name} holds no tensors by name, as pyvene writes them`);
}

/** Options for the class, of those columns that it takes. */
function optionsOf(
  kind: AnyInterventionClass,
  { options }: RowFields,
  constant: Tensor | undefined,
): Record<string, unknown> {
  const { fromRow, hasNoPartition = false } = dialectOf(kind);
  const { subspacePartition } = options;
  return {
    ...fromRow(options),
    ...(hasNoPartition || subspacePartition === undefined ? {} : { subspacePartition }),
    ...(constant === undefined ? {} : { sourceRepresentation: constant }),
  };
}

/** @throws InterventionError for sizes that no file of these parameters has. */
function requireSizes(
  op: string,
  { key, row: { options } }: Described,
  state: ReadonlyMap<string, Tensor> | undefined,
): void {
  const largest = Math.max(0, ...[...(state?.values() ?? [])].flatMap(({ shape }) => shape));
  for (const name of ["lowRankDimension", "latentDim"]) {
    const size = options[name];
    if (size === undefined || (Number.isSafeInteger(size) && Number(size) <= largest)) continue;
    if (state === undefined) fail(op, `${binName(key)}, the parameters of ${key}, is missing`);
    fail(
      op,
      `${key} says ${name} ${JSON.stringify(size)}, but ${binName(key)} has at most ${largest} of anything`,
    );
  }
}

function dimsTensor(dims: Dims): Tensor | undefined {
  if (dims === undefined) return undefined;
  const list = [dims].flat();
  const shape = typeof dims === "number" ? [] : [list.length];
  return Tensor.fromData(BigInt64Array.from(list, BigInt), shape);
}

function dimsIn(tensor: Tensor | undefined): Dims {
  const numbers = Array.from(tensor?.values ?? [], Number);
  return tensor?.ndim === 0 ? numbers[0] : tensor && numbers;
}

/**
 * What of a file goes into an intervention: its dimensions as they are read here, and without a width
 * that only one of the two says.
 *
 * @param dims - What `config.json` says of dimensions, for a file that says nothing.
 * @throws InterventionError for an intervention of another width.
 */
export async function fittedState(
  op: string,
  intervention: Intervention,
  stored: ReadonlyMap<string, Tensor>,
  dims?: Dims,
): Promise<ReadonlyMap<string, Tensor>> {
  const { dimsFromPyvene, stateFromPyvene } = dialectOf(classOf(intervention));
  const own = new Map(Object.entries(intervention.stateDict()));
  const state = (await stateFromPyvene?.(stored)) ?? stored;
  const tensors = new Map(state);
  const changed = dimsTensor(dimsFromPyvene(dimsIn(state.get("interchange_dim")) ?? dims));
  const given = { embed_dim: state.get("embed_dim"), interchange_dim: changed };
  for (const [name, value] of Object.entries(given)) {
    const isTaken = own.has(name) || name === "interchange_dim";
    const tensor = isTaken ? (value ?? own.get(name)) : undefined;
    if (tensor === undefined) tensors.delete(name);
    else tensors.set(name, tensor);
  }
  requireWidth(op, { stored: dimsIn(tensors.get("embed_dim")), own: intervention.embedDim });
  return tensors;
}

/** The state of an intervention that is built, of a file or of none. */
function stateFrom(
  op: string,
  { key, dims, hasConstant }: Described,
  state: ReadonlyMap<string, Tensor> | undefined,
): (intervention: Intervention) => Promise<ReadState | undefined> {
  return async (intervention) => {
    if (state !== undefined) {
      return { tensors: await fittedState(`${op}: ${key}`, intervention, state, dims) };
    }
    const needs = intervention.trainable || (hasConstant && intervention.sourceUse !== "none");
    if (needs) fail(op, `${binName(key)}, the parameters of ${key}, is missing`);
    const changed = dialectOf(classOf(intervention)).dimsFromPyvene(dims);
    if (changed !== undefined) intervention.setInterchangeDim(changed);
    return undefined;
  };
}

function requireWidth(
  op: string,
  { stored, own }: { readonly stored: Dims; readonly own: number | undefined },
): void {
  if (stored === undefined || own === undefined || stored === own) return;
  fail(
    op,
    `it was made for vectors of ${String(stored)}, and the model has ${own} there; load it with a model of ` +
      "that width",
  );
}

/** @throws InterventionError for a constant that is not as wide as the place that it is for. */
function requireConstantWidth(
  op: string,
  key: string,
  constant: Tensor,
  width: number | undefined,
): void {
  const own = constant.shape.at(-1);
  if (width === undefined || own === undefined || constant.numel === 1 || own === width) return;
  fail(
    op,
    `${key} has a constant that is ${own} wide, and the model is ${width} wide there; load it with a model of ` +
      "that width",
  );
}

/**
 * Interventions as pyvene's files describe them: `config.json`, and parameters by key.
 *
 * @param json - What `config.json` holds.
 * @throws InterventionError for classes that are not known, files that are missing, and what is malformed.
 */
export async function readPyvene(json: object, reading: PyveneReading): Promise<Blueprint> {
  const { files, op, replaced } = reading;
  const where = `${op}: ${files.location}: ${CONFIG}`;
  const described = describe(where, json);
  const parts: Part[] = [];
  for (const one of described) parts.push(await readPart(where, one, { files, replaced }));
  const { mode = "parallel" } = json as { readonly mode?: Mode };
  return { location: files.location, mode, about: undefined, madeFor: undefined, parts };
}

async function readPart(
  op: string,
  described: Described,
  { files, replaced }: Pick<PyveneReading, "files" | "replaced">,
): Promise<Part> {
  const { key, row } = described;
  const { options: _options, intervention: _intervention, ...place } = row;
  const instead = Object.hasOwn(replaced, key) ? replaced[key] : undefined;
  if (instead !== undefined) return { called: key, place, what: { instance: instead } };
  const kind = classNamed(op, described);
  const { leftOut } = dialectOf(kind);
  if (leftOut !== undefined) {
    fail(
      op,
      `${key}: pyvene's files leave out ${leftOut}; give the ${kind.name}: ` +
        `interventions: { "${key}": ${kind.name}.with({ ... }) }`,
    );
  }
  const state = await readBin(op, files, key);
  requireSizes(op, described, state);
  const constant = state?.get("source_representation");
  const { maxNumberOfUnits = 1 } = row;
  const width = dimsIn(state?.get("embed_dim"));
  const fit = stateFrom(op, described, state);
  return {
    called: key,
    place,
    what: { class: kind, options: optionsOf(kind, row, constant) },
    unitDim: typeof width === "number" ? width / maxNumberOfUnits : undefined,
    stateFor: (intervention) => {
      if (constant !== undefined) requireConstantWidth(op, key, constant, intervention.embedDim);
      return fit(intervention);
    },
  };
}
