import type { Command } from "commander";
import { TsveneError } from "../base/errors.ts";
import { bytesText, countText } from "../base/quantities.ts";
import type { Explanation } from "../intervenable/explain/explanation.ts";
import { terminalRows } from "../plots/terminal-rows.ts";
import { type CommandHost, makeCommand, onRun } from "./command.ts";
import {
  type InterventionOptions,
  loadIntervention,
  withInterventionOptions,
} from "./intervention-options.ts";
import type { Io, Report } from "./io.ts";
import { loadModelForText } from "./load-model.ts";
import { type ModelOptions, withModelOptions } from "./options.ts";

interface Options extends ModelOptions, InterventionOptions {
  readonly prompt: string;
  readonly source?: string;
}

/** `tsvene explain`: a dry run. */
export function explainCommand(host: CommandHost): Command {
  const command = makeCommand({
    name: "explain",
    summary: "Say what interventions would do, and its cost",
    details: "Traces the model with the interventions on a text. Nothing is computed.",
    examples: [
      ["explain --intervention ./honest", "On the model that comes with the package"],
      ['explain -i ./swap --prompt "A man" --source "A king"', "Of those that take a source"],
    ],
  })
    .option("-p, --prompt <text>", "the text to run on", "The capital of Spain is")
    .option("-s, --source <text>", "the text whose states interventions take");
  withInterventionOptions(withModelOptions(command));
  return onRun(command, host, explain);
}

async function explain(io: Io, options: Options): Promise<Report> {
  const { model, tokenizer } = await loadModelForText(io, options);
  const intervened = await loadIntervention(io, model, options);
  if (intervened === undefined) {
    throw new TsveneError(
      "explain: --intervention is needed: a directory or repository of saved interventions",
    );
  }
  const { prompt, source } = options;
  const sources = source === undefined ? {} : { sources: tokenizer.tokenize(source) };
  const explanation = intervened.explain(tokenizer.tokenize(prompt), sources);
  return { json: explanation, text: () => describe(io, explanation) };
}

function describe({ width, pen }: Io, explained: Explanation): string {
  const options = { width, colors: pen.mode };
  const shape = (sizes: readonly number[] | undefined): string => sizes?.join(" x ") ?? "-";
  const { interventions, runs, cost, costWithOriginal, trainableParameters } = explained;
  const places = interventions.flatMap(({ name, intervention, site, units, source, note }) => [
    `${pen.bold(name)}: ${intervention}`,
    `  at ${site}, units ${shape(units)}, source: ${source}`,
    ...(note === undefined ? [] : [`  ${note}`]),
  ]);
  const table = terminalRows(
    ["run", "edits", "reads", "layers", "multiply-adds", "stops at"],
    runs.map(({ name, edits, reads, layers, cost, stopsAt }) => [
      name,
      String(edits.length),
      String(reads.length),
      String(layers.length),
      countText(cost.multiplyAdds),
      stopsAt ?? "the end",
    ]),
    { ...options, right: [1, 2, 3, 4] },
  );
  const say = ({ nodes, multiplyAdds, inputBytes, peakBytes }: Explanation["cost"]): string =>
    `${countText(multiplyAdds)} multiply-adds in ${nodes} operations\n` +
    `  ${bytesText(inputBytes)} read, ${bytesText(peakBytes)} of values at one time`;
  return [
    ...places,
    "",
    table,
    "",
    `${trainableParameters} parameters to be learned`,
    `intervened: ${say(cost)}`,
    `with the original output: ${say(costWithOriginal)}`,
  ].join("\n");
}
