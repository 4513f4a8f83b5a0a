import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { describeValue } from "../../base/describe-value.ts";
import { warn } from "../../base/warn.ts";
import { type FileSource, readTogether } from "../../files/file-source.ts";
import { HUB_OPTIONS, type HubOptions } from "../../files/hub-options.ts";
import { type FilesName, openFiles } from "../../files/open-files.ts";
import { fail } from "../../interventions/errors.ts";
import { Module } from "../../nn/module.ts";
import type { InterventionLike } from "../config/intervention-kind.ts";
import type { IntervenableModel } from "../intervenable-model.ts";
import { readArtefact } from "./artefact.ts";
import { assemble, type Blueprint, type BuildIntervenable } from "./blueprint.ts";
import { MANIFEST } from "./manifest.ts";
import {
  type LoadableClass,
  type ModelMaker,
  modelIn,
  readWeights,
  WEIGHTS,
} from "./model-files.ts";
import { readPyvene } from "./pyvene-reading.ts";
import { CONFIG } from "./pyvene-writing.ts";

/** Options of `IntervenableModel.load`. */
export interface LoadIntervenableOptions extends HubOptions {
  /**
   * Only the interventions at these layers, for a model that has fewer than were intervened on. Of a
   * module path, the first number is the layer's.
   * @default all of them
   */
  readonly layers?: readonly number[];
  /**
   * Give the model the weights that were saved with the interventions. This changes the model that is
   * passed; a class that is passed instead gives a new one, with those weights in any case.
   * @default false
   */
  readonly includeModel?: boolean;
  /**
   * Interventions in the place of stored ones, for what files do not hold, such as a function of
   * pyvene's: by name, or for pyvene's files by their keys.
   * @default none
   */
  readonly interventions?: Readonly<Record<string, InterventionLike>>;
}

const OPTIONS: OptionNames<LoadIntervenableOptions> = {
  layers: true,
  includeModel: true,
  interventions: true,
  ...HUB_OPTIONS,
};

const OP = "IntervenableModel.load";

/** What is loaded onto: a model, or what makes one of the stored weights. */
export type ModelOrMaker<M extends Module> = M | LoadableClass<M> | ModelMaker<M>;

function checkArguments(model: unknown, options: LoadIntervenableOptions): void {
  requireKnownOptions(OP, options, OPTIONS);
  const { layers } = options;
  if (layers !== undefined && !(Array.isArray(layers) && layers.every(Number.isSafeInteger))) {
    fail(OP, `layers is a list of numbers of layers, got ${JSON.stringify(layers)}`);
  }
  const isMaker = model !== null && model !== undefined && "fromPretrained" in Object(model);
  if (model instanceof Module || isMaker) return;
  fail(
    OP,
    `the second argument must be a model, or a class of models for weights that were saved too, got ` +
      describeValue(model),
  );
}

/** Loads a model with interventions; see {@link IntervenableModel.load}. */
export async function loadIntervenable<M extends Module>(
  name: FilesName,
  model: ModelOrMaker<M>,
  options: LoadIntervenableOptions,
  build: BuildIntervenable<M>,
): Promise<IntervenableModel<M>> {
  checkArguments(model, options);
  const { layers: _layers, includeModel: _include, interventions: _given, ...hub } = options;
  const opened = await openFiles(name, hub);
  const files = opened.confined?.() ?? opened;
  return readTogether(files, () => loadFrom(files, model, options, build));
}

async function loadFrom<M extends Module>(
  files: FileSource,
  given: ModelOrMaker<M>,
  options: LoadIntervenableOptions,
  build: BuildIntervenable<M>,
): Promise<IntervenableModel<M>> {
  const { includeModel, layers, interventions = {} } = options;
  const blueprint = await readBlueprint(files, interventions);
  const isModel = given instanceof Module;
  const model = isModel ? given : await modelIn(OP, files, given);
  const loaded = await assemble(OP, blueprint, { model, layers, build });
  if (!isModel) return loaded;
  if (includeModel === true) {
    const weights = await readWeights(OP, files, model);
    model.loadStateDict(weights, { strict: false });
  } else if (includeModel === undefined && (await files.exists(WEIGHTS.weights))) {
    warn(
      OP,
      `${files.location} has weights of the model as well (${WEIGHTS.weights}); pass includeModel: true to take ` +
        "them, or false for the model as it is",
    );
  }
  return loaded;
}

/**
 * Reads what tsvene or pyvene saved.
 * @throws InterventionError for what is no artefact, or is damaged.
 */
export async function readBlueprint(
  files: FileSource,
  replaced: Readonly<Record<string, InterventionLike>>,
): Promise<Blueprint> {
  const blueprint = (await files.exists(MANIFEST))
    ? await readArtefact(files, { op: OP, replaced })
    : await readPyveneFiles(files, replaced);
  const keys = blueprint.parts.map(({ called }) => called);
  const unknown = Object.keys(replaced).find((key) => !keys.includes(key));
  if (unknown === undefined) return blueprint;
  return fail(
    OP,
    `interventions has ${unknown}, which is not stored in ${files.location}; it has ${keys.join(", ")}`,
  );
}

async function readPyveneFiles(
  files: FileSource,
  replaced: Readonly<Record<string, InterventionLike>>,
): Promise<Blueprint> {
  const json = await files.readJson(CONFIG);
  const isPyvene = typeof json === "object" && json !== null && "representations" in json;
  if (isPyvene) return readPyvene(json, { op: OP, files, replaced });
  return fail(
    OP,
    `${files.location} has a ${CONFIG} that is not of interventions, but perhaps of a model; a directory or ` +
      "repository that tsvene or pyvene saved interventions to is wanted",
  );
}
