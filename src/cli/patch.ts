import { type Command, InvalidArgumentError, Option } from "commander";
import type { TopLevelSpec } from "vega-lite";
import type { ArrayPlotOptions } from "../analysis/results/array-plot.ts";
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
  const { contrastPairs } = await import("../analysis/data/contrast-pairs.ts");
  const { sweep } = await import("../analysis/sweep/sweep.ts");
  const wrong = against === undefined ? {} : { wrong: against };
  const pairs = contrastPairs(tokenizer, [
    { clean: source, corrupt: base, right: answer, ...wrong },
  ]);
  const metric = against === undefined ? "probability" : "logitDifference";
  const effects = await withProgress(io, ({ onCount }) =>
    sweep(
      model,
      pairs,
      { sites: { component, layer: layers ?? "all", position: "all" }, metric },
      { onProgress: (done, all) => onCount("cells", done, all), signal: io.signal },
    ),
  );
  const patched = effects.mean();
  const look = lookOf(options);
  if (out !== undefined) await draw(out, patched.plot(look));
  return {
    json: { ...patched.toJSON(), base: effects.base[0], source: effects.clean[0], out },
    text: async () => {
      const { arrayText } = await import("../analysis/results/array-plot.ts");
      const { width, pen } = io;
      const title = `${look.title}\n${look.subtitle}\n`;
      return [
        arrayText(patched, { ...look, title, width, colors: pen.mode }),
        "",
        `as it is: base ${shown(effects.base[0])}, source ${shown(effects.clean[0])}`,
        ...(out === undefined ? [] : [`drawn in ${out}`]),
      ].join("\n");
    },
  };
}

/** How table and picture look. */
type Look = Pick<ArrayPlotOptions, "domain" | "center" | "digits"> & {
  readonly title: string;
  readonly subtitle: string;
};

/** Titles and colours of table and picture. */
function lookOf({ base, source, answer, against, component }: Options): Look {
  const quoted = JSON.stringify;
  const what =
    against === undefined
      ? `Probability of ${quoted(answer)}`
      : `Logit of ${quoted(answer)} less that of ${quoted(against)}`;
  return {
    title: `${what} after ${quoted(base)}`,
    subtitle: `when one ${component} is replaced by that of ${quoted(source)}`,
    digits: 2,
    ...(against === undefined ? { domain: [0, 1] as const } : { center: 0 }),
  };
}

function shown(value: number | undefined): string {
  return (value ?? NaN).toFixed(3);
}

async function draw(out: string, spec: TopLevelSpec): Promise<void> {
  if (out.endsWith(".png")) await (await import("../plots/save-png.ts")).savePng(out, spec);
  else await (await import("../plots/save-svg.ts")).saveSvg(out, spec);
}

function pictureFile(name: string): string {
  if (/\.(?:svg|png)$/.test(name)) return name;
  throw new InvalidArgumentError("A name that ends with .svg or .png was expected.");
}
