import { describeValue } from "../../base/describe-value.ts";
import { FileSourceError } from "../../files/file-source-error.ts";
import type { FileSource } from "../../files/file-source.ts";
import { HubUpload } from "../../files/hub-upload.ts";
import { listDirectory } from "../../files/list-directory.ts";
import { LocalFiles } from "../../files/local-files.ts";
import { requireNode } from "../../files/node.ts";
import { withFilesOpen } from "../../files/open-together.ts";
import type { Pushed, PushOptions } from "../../files/push-options.ts";
import { InterventionError } from "../../interventions/errors.ts";
import type { ModelClass } from "../../models/model/family.ts";
import { modelCard } from "../../models/model/model-card.ts";
import { readConfigFields } from "../../models/model/pretrained-config.ts";
import { isOfAnotherSave } from "../../models/model/save-pretrained.ts";
import { ModelError } from "../../nn/errors.ts";
import { isOfArtefact } from "./artefact.ts";
import { describedCard } from "./artefact-card.ts";
import { describeArtefact, isArtefact } from "./describe-artefact.ts";
import { WEIGHTS } from "./model-files.ts";

const OP = "pushToHub";
const README = "README.md";
const MODEL_WEIGHTS =
  /^(?:model|pytorch_model)(?:-\d{5}-of-\d{5})?\.(?:safetensors|bin)$|^(?:model\.safetensors|pytorch_model\.bin)\.index\.json$/;

/**
 * Puts the files of a directory, such as a checkpoint or saved interventions, and those in the
 * directories below it, into a repository of the Hugging Face Hub, in one commit; as `pushToHub` of
 * `savePretrained` and `save` does, without saving anything (Node only).
 *
 * A `README.md` of the directory goes with them as it is; without one, the repository gets the card
 * that fits, unless it has one that somebody wrote. Of `.git`, `.cache`, and locks and temporary
 * files (`.tsvene-*`, `*.lock`, `*.tmp`, `*.incomplete`, `*.swp`, `*~`), nothing is uploaded. Files of
 * the repository stay, but for those of an earlier save that would not fit to these weights.
 *
 * @throws {@link FileSourceError} for options that cannot be, a directory that is missing or empty, a
 * symbolic link that leads out of it or to a directory, and when it cannot be uploaded: the
 * repository is as it was then. InterventionError for saved interventions that are damaged, or whose
 * classes are not registered, where the card has to be made of them.
 *
 * @example
 * ```ts no-run
 * import { pushToHub } from "tsvene";
 * const { url } = await pushToHub("out/my-model", { repo: "me/my-model", private: true });
 * console.log(url);
 * ```
 */
export async function pushToHub(directory: string, options: PushOptions): Promise<Pushed> {
  requireNode(OP);
  if (typeof directory !== "string") {
    const message = `${OP}: a directory was expected, got ${describeValue(directory)}`;
    throw new FileSourceError("name", message);
  }
  const upload = await HubUpload.prepare(OP, options, OP);
  const list = (): Promise<string[]> => listDirectory(OP, directory);
  await list();
  const place = new LocalFiles(directory, { confined: true });
  return withFilesOpen(place, list, async (files) => {
    const names = new Set(files.keys());
    const kind = (await isArtefact(place)) ? INTERVENTIONS : MODEL;
    const card = names.has(README) ? undefined : await kind.card(place, names, options);
    const hasWeights =
      kind === INTERVENTIONS || [...names].some((name) => MODEL_WEIGHTS.test(name));
    const superseded = hasWeights && { isSuperseded: kind.isSuperseded };
    return upload.upload({ files, card, ...superseded });
  });
}

/** What is particular to what a directory holds. */
interface Kind {
  /** Whether a file of the repository goes where the directory has none of that name. */
  readonly isSuperseded: (name: string) => boolean;
  /** The card of it; undefined where nothing is known that it could say. */
  readonly card: (
    files: FileSource,
    names: ReadonlySet<string>,
    options: PushOptions,
  ) => Promise<string | undefined>;
}

const INTERVENTIONS: Kind = {
  isSuperseded: isOfArtefact,
  card: async (files, names, options) => {
    const { madeFor, interventions } = await describe(files);
    const includeModel = names.has(WEIGHTS.weights);
    return describedCard({ madeFor, baseModel: undefined, includeModel, interventions }, options);
  },
};

const MODEL: Kind = {
  isSuperseded: isOfAnotherSave,
  card: async (files, names, options) => {
    const found = names.has("config.json") ? await modelClassOf(files) : undefined;
    if (found !== undefined) return modelCard(found, options);
    if (options.card === undefined) return undefined;
    throw new FileSourceError(
      "name",
      `${OP}: card: ${files.location} is no model of a known family and no saved interventions, so that no ` +
        `card can be made for it; leave out \`card\`, and write a ${README} into the directory`,
    );
  },
};

async function describe(files: FileSource): ReturnType<typeof describeArtefact> {
  try {
    return await describeArtefact(files);
  } catch (error) {
    if (!(error instanceof InterventionError)) throw error;
    const instead = `a ${README} in the directory would go in the place of the card that is made of them`;
    throw new InterventionError(`${OP}: ${error.message}; ${instead}`, { cause: error });
  }
}

/**
 * The class that loads a model: the one that its files name, else one of its family; undefined for an
 * unknown family.
 */
async function modelClassOf(files: FileSource): Promise<ModelClass | undefined> {
  const fields = await readConfigFields(files);
  const { familyOf } = await import("../../models/catalogue/families.ts");
  try {
    const { models } = familyOf(fields, OP);
    const { architectures } = fields;
    const name = Array.isArray(architectures) ? architectures[0] : undefined;
    const classes = Object.values<ModelClass>(models);
    return classes.find((one) => one.name === name) ?? models.AutoModel ?? classes[0];
  } catch (error) {
    if (error instanceof ModelError) return undefined;
    throw error;
  }
}
