import type { FileSource } from "../../files/file-source.ts";
import { readTogether } from "../../files/file-source.ts";
import { openCheckpoint } from "../../formats/checkpoint.ts";
import type { Shape } from "../../tensor/shape.ts";
import type { Mode } from "../config/config.ts";
import type { Part } from "./blueprint.ts";
import { readBlueprint } from "./load.ts";
import { MANIFEST, PARAMETERS } from "./manifest.ts";
import type { ModelFacts } from "./model-facts.ts";
import { binName, CONFIG } from "./pyvene-writing.ts";

/** One stored intervention. */
export interface DescribedIntervention {
  /** Its name; of files that pyvene wrote, the key. */
  readonly name: string;
  /** Name of its class. */
  readonly intervention: string;
  /** The layer, from 0; undefined of a module path. */
  readonly layer: number | undefined;
  /** The component or module path. */
  readonly component: string;
  /** What a location of it counts, such as `"pos"`. */
  readonly unit: string;
}

/** What a directory of saved interventions holds. */
export interface ArtefactDescription {
  /** What messages call the place. */
  readonly location: string;
  /** Which library wrote it. */
  readonly writtenBy: "tsvene" | "pyvene";
  /** Whether all groups act in one run, or each run is the source of the next. */
  readonly mode: Mode;
  /** The model that they were made for, where that is noted. */
  readonly madeFor: ModelFacts | undefined;
  /** In the order of the configuration. */
  readonly interventions: readonly DescribedIntervention[];
  /** Parameters and buffers, as the headers of the files say. */
  readonly tensors: readonly {
    readonly name: string;
    readonly shape: Shape;
    readonly elementType: string;
    readonly bytes: number;
  }[];
  /** Bytes of all tensors. */
  readonly bytes: number;
}

/** Whether a place holds interventions that tsvene or pyvene saved. */
export async function isArtefact(files: FileSource): Promise<boolean> {
  if (await files.exists(MANIFEST)) return true;
  if (!(await files.exists(CONFIG))) return false;
  const json = await files.readJson(CONFIG);
  return typeof json === "object" && json !== null && "representations" in json;
}

/**
 * Says what saved interventions are. What `tsvene.json` says of its files is checked: their sizes and
 * their SHA-256.
 *
 * @throws InterventionError for what is no artefact, is damaged, or has classes that are not known.
 */
export async function describeArtefact(files: FileSource): Promise<ArtefactDescription> {
  return readTogether(files, async () => {
    const isOwn = await files.exists(MANIFEST);
    const { location, mode, madeFor, parts } = await readBlueprint(files, {});
    const names = isOwn ? [PARAMETERS] : parts.map(({ called }) => binName(called));
    const tensors: ArtefactDescription["tensors"][number][] = [];
    for (const file of new Set(names)) tensors.push(...(await tensorsIn(files, file)));
    const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
    const writtenBy = isOwn ? "tsvene" : "pyvene";
    const interventions = parts.map(describePart);
    return { location, writtenBy, mode, madeFor, interventions, tensors, bytes };
  });
}

async function tensorsIn(files: FileSource, file: string): Promise<ArtefactDescription["tensors"]> {
  if (!(await files.exists(file))) return [];
  const checkpoint = await openCheckpoint(files, { file });
  try {
    return checkpoint.names.map((name) => {
      const { shape, elementType } = checkpoint.info(name);
      return { name, shape, elementType, bytes: checkpoint.byteLength(name) };
    });
  } finally {
    await checkpoint.close();
  }
}

function describePart({ called, place, what }: Part): DescribedIntervention {
  const { layer, component = "block_output", unit = "pos" } = place;
  const made = "class" in what ? what.class : (what.instance as object).constructor;
  return { name: called, intervention: made.name, layer, component, unit };
}
