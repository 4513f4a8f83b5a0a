import type { PushOptions } from "../../files/push-options.ts";
import { cardText } from "../../files/repository-card.ts";
import { originOf } from "../../models/model/origin.ts";
import type { ArtefactOptions } from "./artefact.ts";
import type { DescribedIntervention } from "./describe-artefact.ts";
import { factsOf, type ModelFacts } from "./model-facts.ts";
import { classOf, type SavedModel } from "./saved-model.ts";

/** What the card of interventions is made of. */
export interface CardFacts {
  /** The model that they were made for, where that is known. */
  readonly madeFor: ModelFacts | undefined;
  /** The model of the Hub that they were made for, if it is known. */
  readonly baseModel: string | undefined;
  /** Whether the model's weights are with them. */
  readonly includeModel: boolean;
  readonly interventions: readonly Omit<DescribedIntervention, "name">[];
}

function places(interventions: CardFacts["interventions"]): string {
  const rows = interventions.map(({ intervention, layer, component, unit }) => {
    const where = component.includes(".") ? [component, unit] : [`layer ${layer}`, component, unit];
    return `| \`${intervention}\` | ${where.join(", ").replaceAll(/[|\n`<]/g, " ")} |`;
  });
  return ["| intervention | place |", "| --- | --- |", ...rows].join("\n");
}

/** Code that makes the model that interventions are loaded into. */
function modelCode(name: string, baseModel: string | undefined): string[] {
  const from = baseModel ?? "path/to/the/model/that/they/were/made/for";
  return [`const model = await ${name}.fromPretrained(${JSON.stringify(from)});`];
}

/** Class whose `fromPretrained` makes the model, where none is noted. */
const ANY_MODEL = "AutoModelForCausalLM";

/** The card of a repository that described interventions are uploaded to. */
export function describedCard(
  { madeFor, baseModel: known, includeModel, interventions }: CardFacts,
  { repo, revision = "main", createPr = false, card }: PushOptions,
): string {
  const { class: name = ANY_MODEL, family, layers }: Partial<ModelFacts> = madeFor ?? {};
  const baseModel = card?.baseModel ?? known;
  const options =
    revision === "main" || createPr ? "" : `, { revision: ${JSON.stringify(revision)} }`;
  const on = includeModel ? name : "model";
  const depth = layers === undefined ? "" : ` of ${layers} layers`;
  const what = madeFor === undefined ? "model" : `\`${name}\`${depth}`;
  return cardText({
    title: repo,
    about: [
      `Interventions on a ${what}, written by [tsvene](https://github.com/tsvene/tsvene), which ` +
        "loads them in one line. Python's [pyvene](https://github.com/stanfordnlp/pyvene) reads the same " +
        "files.",
      places(interventions),
    ].join("\n\n"),
    code: [
      `import { IntervenableModel, ${name} } from "tsvene";`,
      "",
      ...(includeModel ? [] : modelCode(name, baseModel)),
      `const intervenable = await IntervenableModel.load(${JSON.stringify(repo)}, ${on}${options});`,
      "console.log(Array.from(intervenable.interventions, ([name]) => name));",
    ].join("\n"),
    baseModel,
    tags: ["interventions", "pyvene", ...(family === undefined ? [] : [family])],
    options: card,
  });
}

/** The card of a repository that interventions are uploaded to. */
export function artefactCard(
  { model, places: saved }: SavedModel,
  { includeModel = false }: ArtefactOptions,
  push: PushOptions,
): string {
  const interventions = saved.map(({ representation, intervention }) => {
    const { layer, component, unit } = representation;
    return { intervention: classOf(intervention).name, layer, component, unit };
  });
  const known = { madeFor: factsOf(model), baseModel: originOf(model) };
  return describedCard({ ...known, includeModel, interventions }, push);
}
