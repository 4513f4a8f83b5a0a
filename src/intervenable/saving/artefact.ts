import { sha256 } from "../../files/sha256.ts";
import { loadSafetensors } from "../../formats/safetensors/load-safetensors.ts";
import type { FileSource } from "../../files/file-source.ts";
import { checkRelativePath } from "../../files/file-source.ts";
import { fail } from "../../interventions/errors.ts";
import type { Blueprint } from "./blueprint.ts";
import { type Manifest, MANIFEST, PARAMETERS, parseManifest, type SavedFile } from "./manifest.ts";
import { modelFiles, WEIGHTS } from "./model-files.ts";
import { encodeTensors, type OwnReading, ownContent, readOwn } from "./own-format.ts";
import { CONFIG, pyveneBins, pyveneConfig, warnOfUnsaid } from "./pyvene-writing.ts";
import { requireStorable, type SavedModel } from "./saved-model.ts";

/** What is written beside the interventions. */
export interface ArtefactOptions {
  /**
   * Write the model's weights as well, so that the whole can be loaded without the model.
   * @default false
   */
  readonly includeModel?: boolean;
}

async function described(content: Uint8Array): Promise<SavedFile> {
  return { bytes: content.length, sha256: (await sha256(content)) ?? "" };
}

/**
 * All files of an artefact with their contents, for whatever writes them: pyvene's, and beside them
 * `tsvene.json` and the same parameters as safetensors. Nothing is written.
 *
 * @param op - What messages begin with.
 * @throws InterventionError for what cannot be stored, by its key.
 */
export async function artefactFiles(
  op: string,
  saved: SavedModel,
  { includeModel = false }: ArtefactOptions = {},
): Promise<ReadonlyMap<string, Uint8Array>> {
  requireStorable(op, saved);
  const { manifest, tensors } = ownContent(op, saved);
  const files = new Map<string, Uint8Array>([
    [CONFIG, new TextEncoder().encode(pyveneConfig(saved))],
    ...(await pyveneBins(op, saved)),
    [PARAMETERS, await encodeTensors(op, tensors)],
    ...(includeModel ? await modelFiles(saved.model) : []),
  ]);
  const known: Record<string, SavedFile> = {};
  for (const [name, content] of files) known[name] = await described(content);
  const whole: Manifest = { ...manifest, files: known };
  files.set(MANIFEST, new TextEncoder().encode(`${JSON.stringify(whole, null, 2)}\n`));
  warnOfUnsaid(op, saved);
  return files;
}

/** Whether a file may be one of an artefact that was written before. */
export function isOfArtefact(name: string): boolean {
  return (
    /^intkey_.*\.bin$/.test(name) ||
    [CONFIG, MANIFEST, PARAMETERS, ...Object.values(WEIGHTS)].includes(name)
  );
}

/**
 * Looks through all files that the manifest lists, and gives the content of the parameters.
 *
 * @throws InterventionError for a file that is not as the manifest says.
 */
async function intactParameters(
  op: string,
  files: FileSource,
  { files: known }: Manifest,
): Promise<Uint8Array> {
  let parameters: Uint8Array | undefined;
  for (const [name, { bytes, sha256: wanted }] of Object.entries(known)) {
    checkRelativePath(name, op);
    const content = await files.readBytes(name);
    const found = await sha256(content);
    if (content.length !== bytes || (found !== undefined && found !== wanted)) {
      fail(
        op,
        `${name} is not the file that ${MANIFEST} was written with: it is damaged, or another program, such as ` +
          `pyvene, has written it since; to read what pyvene wrote, delete ${MANIFEST} and ${PARAMETERS}`,
      );
    }
    if (name === PARAMETERS) parameters = content;
  }
  return parameters ?? fail(op, `${MANIFEST} lists no ${PARAMETERS}`);
}

/** The interventions of a directory that tsvene wrote. */
export async function readArtefact(
  files: FileSource,
  reading: Omit<OwnReading, "tensors" | "location">,
): Promise<Blueprint> {
  const op = `${reading.op}: ${files.location}`;
  const manifest = parseManifest(op, await files.readJson(MANIFEST));
  const tensors = await loadSafetensors(await intactParameters(op, files, manifest));
  return readOwn(manifest, { ...reading, op, tensors, location: files.location });
}
