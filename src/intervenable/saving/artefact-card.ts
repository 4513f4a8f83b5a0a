import type { PushOptions } from "../../files/push-options.ts";
import { cardText } from "../../files/repository-card.ts";
import { originOf } from "../../models/model/origin.ts";
import type { ArtefactOptions } from "./artefact.ts";
import { factsOf } from "./model-facts.ts";
import { classOf, type SavedModel } from "./saved-model.ts";

function places({ places: all }: SavedModel): string {
  const rows = all.map(({ representation, intervention }) => {
    const { component, layer, unit } = representation;
    const where = component.includes(".") ? [component, unit] : [`layer ${layer}`, component, unit];
    return `| \`${classOf(intervention).name}\` | ${where.join(", ").replaceAll(/[|\n`<]/g, " ")} |`;
  });
  return ["| intervention | place |", "| --- | --- |", ...rows].join("\n");
}

/** Code that makes the model that interventions are loaded into. */
function modelCode(name: string, baseModel: string | undefined): string[] {
  const from = baseModel ?? "path/to/the/model/that/they/were/made/for";
  return [`const model = await ${name}.fromPretrained(${JSON.stringify(from)});`];
}

/** The card of a repository that interventions are uploaded to. */
export function artefactCard(
  saved: SavedModel,
  { includeModel = false }: ArtefactOptions,
  { repo, revision = "main", createPr = false, card }: PushOptions,
): string {
  const { class: name, family, layers } = factsOf(saved.model);
  const baseModel = card?.baseModel ?? originOf(saved.model);
  const options =
    revision === "main" || createPr ? "" : `, { revision: ${JSON.stringify(revision)} }`;
  const on = includeModel ? name : "model";
  const depth = layers === undefined ? "" : ` of ${layers} layers`;
  return cardText({
    title: repo,
    about: [
      `Interventions on a \`${name}\`${depth}, written by [tsvene](https://github.com/tsvene/tsvene), which ` +
        "loads them in one line. Python's [pyvene](https://github.com/stanfordnlp/pyvene) reads the same " +
        "files.",
      places(saved),
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
