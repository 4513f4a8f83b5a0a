import type { Command } from "commander";
import { bytesText, countText } from "../base/quantities.ts";
import { wrapText } from "../plots/terminal-columns.ts";
import type { CheckpointDescription } from "../models/catalogue/describe-checkpoint.ts";
import { type CommandHost, makeCommand, onRun } from "./command.ts";
import type { Io, Report } from "./io.ts";
import { hubOptions, type PlaceOptions, withPlaceOptions } from "./options.ts";
import { withProgress } from "./progress.ts";

interface Options extends PlaceOptions {
  readonly all?: boolean;
}

/** `tsvene inspect`: what files hold. */
export function inspectCommand(host: CommandHost): Command {
  const command = makeCommand({
    name: "inspect",
    summary: "Say what a checkpoint contains",
    details: "Reads headers alone, and loads no model. Layers that look the same are one line.",
    examples: [
      ["inspect tsvene-mini", "The model that comes with the package"],
      ["inspect ./pytorch_model.bin --all", "One file, and each of its tensors on a line"],
      ["inspect openai-community/gpt2 --json", "A model of the Hub, for a script"],
    ],
  })
    .argument("<place>", "a directory, a file of tensors, or a model of the Hub")
    .option("--all", "write a line for each tensor");
  return onRun(withPlaceOptions(command), host, inspect);
}

async function inspect(io: Io, place: string, options: Options): Promise<Report> {
  const [{ openPlace }, { describeCheckpoint }] = await Promise.all([
    import("../files/open-place.ts"),
    import("../models/catalogue/describe-checkpoint.ts"),
  ]);
  const found = await withProgress(io, async ({ onProgress }) => {
    const { files, file } = await openPlace(
      place,
      hubOptions(options, { signal: io.signal, onProgress }),
    );
    return describeCheckpoint(files, file === undefined ? {} : { file });
  });
  return { json: found, text: () => describe(io, found, options.all === true) };
}

async function describe(io: Io, found: CheckpointDescription, all: boolean): Promise<string> {
  const [{ terminalRows }, { groupTensors }] = await Promise.all([
    import("../plots/terminal-rows.ts"),
    import("../formats/tensor-groups.ts"),
  ]);
  const named = found.tensors.map(({ elementType: type, ...tensor }) => ({ ...tensor, type }));
  const groups = all ? named.map((tensor) => ({ ...tensor, count: 1 })) : groupTensors(named);
  const rows = groups.map(({ name, count, shape, type, bytes }) => [
    name,
    count === 1 ? "" : `x${count}`,
    shape.join(" x ") || "a number",
    type,
    bytesText(bytes),
  ]);
  const heads = ["tensor", "", "shape", "type", "bytes"];
  const { width, pen } = io;
  const table = terminalRows(heads, rows, { right: [1, 4], width, colors: pen.mode });
  return [...facts(io, found), "", table].join("\n");
}

/** Numbers of a configuration that say how large a model is. */
const SIZE =
  /layer|hidden|head|vocab|embd|position|intermediate|inner|ctx|dim|width|depth|expert|window|kernel|state|rank|patch|image|channels|dModel|dFf|dKv/i;

const MARGIN = 10;

function facts({ pen, width }: Io, found: CheckpointDescription): string[] {
  const { files, tensors, numbers, bytes, config = {}, absent } = found;
  const [file = "", ...others] = files;
  const sizes = Object.entries(config).flatMap(([name, value]) =>
    typeof value === "number" &&
    Number.isInteger(value) &&
    SIZE.test(name) &&
    !/Id$|pdrop|drop/i.test(name)
      ? [`${name} ${value}`]
      : [],
  );
  const missing = Object.keys(absent).length;
  const said: readonly (readonly [name: string, value: string | undefined])[] = [
    ["place", found.location],
    ["family", [found.modelType, ...found.architectures].filter(Boolean).join(", ") || "not known"],
    ["sizes", sizes.join(", ") || undefined],
    ["weights", others.length === 0 ? file : `${files.length} shards, ${file} to ${others.at(-1)}`],
    ["tensors", `${tensors.length}, ${countText(numbers)} numbers, ${bytesText(bytes)}`],
    ["tied", found.tied ? "the output's matrix is that of the embeddings" : undefined],
    ["quantized", found.quantization],
    ["missing", missing === 0 ? undefined : `${missing} tensors that the index lists`],
    ["note", found.unreadable],
  ];
  return said.flatMap(([name, value]) => {
    if (value === undefined) return [];
    const [first = "", ...rest] = wrapText(value, width - MARGIN);
    const indented = rest.map((line) => " ".repeat(MARGIN) + line);
    return [pen.dim(name.padEnd(MARGIN)) + first, ...indented];
  });
}
