import { type Command, InvalidArgumentError, Option } from "commander";
import type { PatchedStates } from "../analysis/patch-states.ts";
import type { HeatMapOptions } from "../plots/heat-map.ts";
import { type CommandHost, makeCommand, needed, onRun } from "./command.ts";
import type { Io, Report } from "./io.ts";
import { loadModelForText } from "./load-model.ts";
import { type ModelOptions, numberList, withModelOptions } from "./options.ts";
import { withProgress } from "./progress.ts";

interface Options extends ModelOptions {
  readonly base: string;
  readonly source: string;
  readonly answer: string;
  readonly against?: string;
  readonly component: string;
  readonly layers?: readonly number[];
  readonly out?: string;
}

const TEXTS = '--base "The capital of Spain is" \\\n      --source "The capital of Italy is"';

/** `tsvene patch`: where a model keeps what tells two texts apart. */
export function patchCommand(host: CommandHost): Command {
  const command = makeCommand({
    name: "patch",
    summary: "Show where a model tells two texts apart",
    details:
      "Puts one state of the source's run after the other into the base's, and shows what each does to the " +
      "answer: to its probability or, with --against, to how far its logit is above the other's.",
    examples: [
      [`patch ${TEXTS} --answer " Rome"`, "Every layer and position"],
      [
        `patch ${TEXTS} --answer " Rome" \\\n      --against " Madrid" --component mlp_output --out out/rome.svg`,
        "What the MLPs write, as a picture too",
      ],
    ],
  })
    .addOption(
      needed(new Option("-b, --base <text>", "the text that is run with one state replaced")),
    )
    .addOption(
      needed(
        new Option("-s, --source <text>", "the text whose states are put in, with as many tokens"),
      ),
    )
    .addOption(needed(new Option("-a, --answer <token>", 'what might come next, such as " Rome"')))
    .option("--against <token>", "another token to compare with")
    .option("-c, --component <name>", "which states", "block_input")
    .option("-l, --layers <numbers>", "which layers, such as 0,2,5-8 (default: all)", numberList)
    .option("-o, --out <file>", "draw the heat map into an .svg or .png file", pictureFile);
  return onRun(withModelOptions(command), host, patch);
}

async function patch(io: Io, options: Options): Promise<Report> {
  const { base, source, answer, against, component, layers, out } = options;
  // Before anything is computed in vain.
  if (out?.endsWith(".png") === true) {
    await (await import("../plots/save-png.ts")).requirePngRenderer();
  }
  const { model, tokenizer } = await loadModelForText(io, options);
  const { patchStates } = await import("../analysis/patch-states.ts");
  const other = against !== undefined && { against };
  const texts = { base, source, answer, ...other };
  const patched = await withProgress(io, ({ onCount }) =>
    patchStates(model, tokenizer, {
      ...texts,
      component,
      ...(layers !== undefined && { layers }),
      onProgress: (done, all) => onCount("layers", done, all),
      signal: io.signal,
    }),
  );
  const { patchPlot } = await import("../analysis/patch-plot.ts");
  const plot = patchPlot(patched, texts);
  if (out !== undefined) await draw(out, patched, plot);
  return {
    json: { ...patched, out },
    text: async () => {
      const { terminalTable } = await import("../plots/terminal-table.ts");
      const { width, pen } = io;
      const title = `${plot.title ?? ""}\n${plot.subtitle ?? ""}\n`;
      const table = terminalTable(patched.values, { ...plot, title, width, colors: pen.mode });
      return [
        table,
        "",
        `as it is: base ${shown(patched.base)}, source ${shown(patched.source)}`,
        ...(out === undefined ? [] : [`drawn in ${out}`]),
      ].join("\n");
    },
  };
}

function shown(value: number): string {
  return value.toFixed(3);
}

async function draw(out: string, { values }: PatchedStates, plot: HeatMapOptions): Promise<void> {
  const { heatMap } = await import("../plots/heat-map.ts");
  const spec = heatMap(values, plot);
  if (out.endsWith(".png")) await (await import("../plots/save-png.ts")).savePng(out, spec);
  else await (await import("../plots/save-svg.ts")).saveSvg(out, spec);
}

function pictureFile(name: string): string {
  if (/\.(?:svg|png)$/.test(name)) return name;
  throw new InvalidArgumentError("A name that ends with .svg or .png was expected.");
}
