import { type Command, Option } from "commander";
import { type CommandHost, makeCommand, needed, onRun } from "./command.ts";
import type { Io, Report } from "./io.ts";
import { loadModel } from "./load-model.ts";
import { type ModelOptions, withModelOptions } from "./options.ts";
import { writeTexts } from "./write-texts.ts";
import { generateOptions, type WritingOptions, withWritingOptions } from "./writing-options.ts";

interface Options extends ModelOptions, WritingOptions {
  readonly prompt: string;
}

/** `tsvene run`: goes on with a text. */
export function runCommand(host: CommandHost): Command {
  const command = makeCommand({
    name: "run",
    summary: "Let a model go on with a text",
    examples: [
      ['run --prompt "The capital of Spain is" -n 3', "The model that comes with the package"],
      [
        'run --prompt "One morning," --temperature 0.8 --seed 1',
        "Drawn at random, the same each time",
      ],
    ],
  }).addOption(needed(new Option("-p, --prompt <text>", "the text to go on with")));
  return onRun(withWritingOptions(withModelOptions(command)), host, run);
}

async function run(io: Io, options: Options): Promise<Report> {
  const { prompt } = options;
  const { model, tokenizer } = await loadModel(io, options);
  const { streamText } = await import("../models/generation/stream-text.ts");
  const inputs = tokenizer.tokenize(prompt);
  const ids = tokenizer.encode(prompt);
  const settings = { ...generateOptions(options, model, ids.length), signal: io.signal };
  const texts = streamText(tokenizer, ids, model.stream(inputs, settings));
  const [original] = await writeTexts(io, [{ title: "as it is", texts }], prompt);
  return { json: { model: options.model, prompt, original } };
}
