import { cardText } from "../../files/repository-card.ts";
import type { PushOptions } from "../../files/push-options.ts";
import type { ModelClass } from "./family.ts";

/** The card of a repository that a model is uploaded to. */
export function modelCard(
  { name, family }: ModelClass,
  { repo, revision = "main", createPr = false, card }: PushOptions,
): string {
  const options =
    revision === "main" || createPr ? "" : `, { revision: ${JSON.stringify(revision)} }`;
  return cardText({
    title: repo,
    about:
      `A model of the class \`${name}\`, written by [tsvene](https://github.com/tsvene/tsvene), which ` +
      "looks into models and changes what they compute. It loads in one line; as its files are those " +
      "of Hugging Face, Python's `transformers` reads it too.",
    code: [
      `import { ${name} } from "tsvene";`,
      "",
      `const model = await ${name}.fromPretrained(${JSON.stringify(repo)}${options});`,
      "console.log(model.config);",
    ].join("\n"),
    tags: [family.modelType],
    options: card,
  });
}
