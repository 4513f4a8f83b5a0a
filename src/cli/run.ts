import { type Command, Option } from "commander";
import {
  type EditOptions,
  type InterventionOptions,
  loadIntervention,
  withEditOptions,
  withInterventionOptions,
} from "./intervention-options.ts";
import { type CommandHost, makeCommand, needed, onRun } from "./command.ts";
import type { Io, Report } from "./io.ts";
import { loadModelForText } from "./load-model.ts";
import { type ModelOptions, withModelOptions } from "./options.ts";
import { writeTexts } from "./write-texts.ts";
import { generateOptions, type WritingOptions, withWritingOptions } from "./writing-options.ts";

interface Options extends ModelOptions, WritingOptions, InterventionOptions, EditOptions {
  readonly prompt: string;
}

/** `tsvene run`: goes on with a text. */
export function runCommand(host: CommandHost): Command {
  const command = makeCommand({
    name: "run",
    summary: "Go on with a text, with and without interventions",
    details: "With --intervention both texts are written at once, side by side.",
    examples: [
      [
        'run -i ./honest --strength 1.5 -p "One morning,"',
        "As it is, and with saved interventions",
      ],
      ['run --prompt "The capital of Spain is" -n 3', "The model that comes with the package"],
      [
        'run --prompt "One morning," --temperature 0.8 --seed 1',
        "Drawn at random, the same each time",
      ],
    ],
  }).addOption(needed(new Option("-p, --prompt <text>", "the text to go on with")));
  return onRun(
    withWritingOptions(withEditOptions(withInterventionOptions(withModelOptions(command)))),
    host,
    run,
  );
}

async function run(io: Io, options: Options): Promise<Report> {
  const { prompt } = options;
  const { model, tokenizer } = await loadModelForText(io, options);
  const intervened = await loadIntervention(io, model, options);
  const { streamText } = await import("../models/generation/stream-text.ts");
  const inputs = tokenizer.tokenize(prompt);
  const ids = tokenizer.encode(prompt);
  const settings = { ...generateOptions(options, model, ids.length), signal: io.signal };
  const texts = streamText(tokenizer, ids, model.stream(inputs, settings));
  const asItIs = { title: "as it is", texts };
  const said = { model: options.model, prompt };
  if (intervened === undefined) {
    const [original] = await writeTexts(io, [asItIs], prompt);
    return { json: { ...said, original } };
  }
  const { source, strength, steps, intervention } = options;
  const edits = {
    ...settings,
    steps,
    ...(source !== undefined && { sources: tokenizer.tokenize(source) }),
    ...(strength !== undefined && { strength }),
  };
  const edited = streamText(tokenizer, ids, intervened.stream(inputs, edits));
  const title = strength === undefined ? "intervened" : `intervened, strength ${strength}`;
  const [original, written] = await writeTexts(io, [asItIs, { title, texts: edited }], prompt);
  return {
    json: { ...said, intervention, strength: strength ?? 1, original, intervened: written },
  };
}
