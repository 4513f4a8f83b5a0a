import type { Command } from "commander";
import { bytesText, countText } from "../base/quantities.ts";
import { wrapText } from "../plots/terminal-columns.ts";
import type {
  ArtefactDescription,
  DescribedIntervention,
} from "../intervenable/saving/describe-artefact.ts";
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
    summary: "Say what a checkpoint or saved interventions are",
    details: "Reads headers alone, and loads no model. Layers that look the same are one line.",
    examples: [
      ["inspect tsvene-mini", "The model that comes with the package"],
      ["inspect ./pytorch_model.bin --all", "One file, and each of its tensors on a line"],
      [
        "inspect ./model.onnx",
        "An ONNX file: its values by scopes, to find names for interventions",
      ],
      ["inspect openai-community/gpt2 --json", "A model of the Hub, for a script"],
    ],
  })
    .argument("<place>", "a directory, a file of tensors, an ONNX file, or a model of the Hub")
    .option("--all", "write a line for each tensor");
  return onRun(withPlaceOptions(command), host, inspect);
}

async function inspect(io: Io, place: string, options: Options): Promise<Report> {
  if (/\.onnx$/i.test(place)) {
    const { inspectOnnxFile } = await import("./inspect-onnx.ts");
    return inspectOnnxFile(place, options.all === true);
  }
  const [{ openPlace }, { describeCheckpoint }, { describeArtefact, isArtefact }] =
    await Promise.all([
      import("../files/open-place.ts"),
      import("../models/catalogue/describe-checkpoint.ts"),
      import("../intervenable/saving/describe-artefact.ts"),
    ]);
  const found = await withProgress(io, async ({ onProgress }) => {
    const { files, file } = await openPlace(place, {
      ...hubOptions(options, { signal: io.signal, onProgress }),
      inParts: true,
    });
    if (file === undefined && (await isArtefact(files))) return describeArtefact(files);
    return describeCheckpoint(files, file === undefined ? {} : { file });
  });
  const all = options.all === true;
  return {
    json: found,
    text: async () => {
      const facts = "numbers" in found ? modelFacts(found) : interventionFacts(found);
      return [...aligned(io, facts), "", await tensorTable(io, found.tensors, all)].join("\n");
    },
  };
}

async function tensorTable(
  io: Io,
  tensors: CheckpointDescription["tensors"],
  all: boolean,
): Promise<string> {
  if (tensors.length === 0) return "no parameters";
  const [{ terminalRows }, { groupTensors }] = await Promise.all([
    import("../plots/terminal-rows.ts"),
    import("../formats/tensor-groups.ts"),
  ]);
  const named = tensors.map(({ elementType: type, ...tensor }) => ({ ...tensor, type }));
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
  return terminalRows(heads, rows, { right: [1, 4], width, colors: pen.mode });
}

/** Names and what is said under them. */
type Facts = readonly (readonly [name: string, value: string | undefined])[];

/** Numbers of a configuration that are none of its size. */
const NO_SIZE = /Id$|drop/i;
/** Numbers of a configuration that say how large a model is. */
const SIZE =
  /layer|hidden|head|vocab|embd|position|intermediate|inner|ctx|dim|width|depth|expert|window|kernel|state|rank|patch|image|channels|dModel|dFf|dKv/i;

function modelFacts(found: CheckpointDescription): Facts {
  const { files, tensors, numbers, bytes, config = {}, absent } = found;
  const [file = "", ...others] = files;
  const sizes = Object.entries(config).flatMap(([name, value]) =>
    typeof value === "number" && Number.isInteger(value) && SIZE.test(name) && !NO_SIZE.test(name)
      ? [`${name} ${value}`]
      : [],
  );
  const missing = Object.keys(absent).length;
  return [
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
}

function interventionFacts(found: ArtefactDescription): Facts {
  const { location, writtenBy, mode, madeFor, interventions, tensors, bytes } = found;
  const model = Object.entries(madeFor ?? {}).map(([name, value]) => `${name} ${value}`);
  return [
    ["place", location],
    ["saved by", writtenBy],
    ["made for", model.join(", ") || "a model that is not noted"],
    ["mode", mode],
    ["tensors", `${tensors.length}, ${bytesText(bytes)}`],
    ...interventions.map((each): Facts[number] => ["edit", editText(each)]),
  ];
}

function editText({ name, intervention, layer, component, unit }: DescribedIntervention): string {
  const place = layer === undefined ? component : `layer ${layer} ${component}`;
  const called = name === place ? "" : `, called ${name}`;
  return `${intervention} at ${place}, unit ${unit}${called}`;
}

const MARGIN = 10;

function aligned({ pen, width }: Io, facts: Facts): string[] {
  return facts.flatMap(([name, value]) => {
    if (value === undefined) return [];
    const [first = "", ...rest] = wrapText(value, width - MARGIN);
    const indented = rest.map((line) => " ".repeat(MARGIN) + line);
    return [pen.dim(name.padEnd(MARGIN)) + first, ...indented];
  });
}
