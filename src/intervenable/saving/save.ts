import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { LocalFiles } from "../../files/local-files.ts";
import { requireNode } from "../../files/node.ts";
import { writeTogether } from "../../files/write-together.ts";
import { fail } from "../../interventions/errors.ts";
import { artefactFiles, type ArtefactOptions, isOfArtefact } from "./artefact.ts";
import { CONFIG } from "./pyvene-writing.ts";
import { type IntervenableContent, savedModel } from "./saved-model.ts";

/** Options of `save`. */
export interface SaveIntervenableOptions extends ArtefactOptions {}

const OPTIONS: OptionNames<SaveIntervenableOptions> = { includeModel: true };
const OP = "IntervenableModel.save";

/** @throws InterventionError for a directory whose `config.json` is of something else. */
async function requireOwn(directory: string): Promise<void> {
  const files = new LocalFiles(directory);
  if (!(await files.exists(CONFIG))) return;
  const json = await files.readJson(CONFIG).catch(() => undefined);
  if (typeof json === "object" && json !== null && "representations" in json) return;
  fail(
    OP,
    `${directory} has a ${CONFIG} that is not of interventions, such as a model's, which would be lost; ` +
      "choose another directory",
  );
}

/** Saves a model's interventions; see {@link IntervenableModel.save}. */
export async function saveIntervenable(
  directory: string,
  content: IntervenableContent,
  options: SaveIntervenableOptions = {},
): Promise<void> {
  requireNode(OP);
  requireKnownOptions(OP, options, OPTIONS);
  if (typeof directory !== "string" || directory === "") {
    fail(OP, `a directory was expected, got ${JSON.stringify(directory)}`);
  }
  const contents = await artefactFiles(OP, savedModel(content), options);
  await requireOwn(directory);
  const files = new Map(
    [...contents].map(([name, bytes]) => [name, (write: (b: Uint8Array) => Promise<void>) => write(bytes)]), // prettier-ignore
  );
  await writeTogether(directory, { files, isSuperseded: isOfArtefact });
}
