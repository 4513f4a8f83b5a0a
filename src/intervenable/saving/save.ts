import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { LocalFiles } from "../../files/local-files.ts";
import { requireNode } from "../../files/node.ts";
import type { Pushed, PushOptions } from "../../files/push-options.ts";
import { saveTogether } from "../../files/save-together.ts";
import { fail } from "../../interventions/errors.ts";
import { artefactFiles, type ArtefactOptions, isOfArtefact } from "./artefact.ts";
import { artefactCard } from "./artefact-card.ts";
import { CONFIG } from "./pyvene-writing.ts";
import { type IntervenableContent, savedModel } from "./saved-model.ts";

/** Options of `save`. */
export interface SaveIntervenableOptions extends ArtefactOptions {
  /**
   * Put the files into a repository of the Hugging Face Hub as well, with a card that says how to load
   * them; a `README.md` in the directory, or one that somebody wrote in the repository, stays.
   * @default none
   */
  readonly pushToHub?: PushOptions;
}

const OPTIONS: OptionNames<SaveIntervenableOptions> = { includeModel: true, pushToHub: true };
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
): Promise<Pushed | undefined> {
  requireNode(OP);
  requireKnownOptions(OP, options, OPTIONS);
  if (typeof directory !== "string" || directory === "") {
    fail(OP, `a directory was expected, got ${JSON.stringify(directory)}`);
  }
  const saved = savedModel(content);
  const contents = await artefactFiles(OP, saved, options);
  await requireOwn(directory);
  const files = new Map(
    [...contents].map(([name, bytes]) => [name, (write: (b: Uint8Array) => Promise<void>) => write(bytes)]), // prettier-ignore
  );
  const { pushToHub } = options;
  const card = (push: PushOptions): string => artefactCard(saved, options, push);
  const wanted = { files, isSuperseded: isOfArtefact };
  return saveTogether(OP, directory, wanted, { pushToHub, card });
}
