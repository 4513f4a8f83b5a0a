import { type Command, Option } from "commander";
import { TsveneError } from "../base/errors.ts";
import { bytesText } from "../base/quantities.ts";
import type { FileSource } from "../files/file-source.ts";
import type { Conversion, WeightFormat } from "../formats/convert-weights.ts";
import { type CommandHost, makeCommand, onRun } from "./command.ts";
import type { Io, Report } from "./io.ts";
import { loadModel } from "./load-model.ts";
import { hubOptions, type PlaceOptions, withPlaceOptions } from "./options.ts";
import { withProgress } from "./progress.ts";

interface Options extends PlaceOptions {
  readonly to?: WeightFormat;
  readonly force?: boolean;
  readonly model?: string;
}

/** `tsvene convert`: weights in the other format. */
export function convertCommand(host: CommandHost): Command {
  const command = makeCommand({
    name: "convert",
    summary: "Write weights in the other format",
    details:
      "Safetensors and the files of PyTorch become one another. A file becomes a file, whose ending says the " +
      "format; a model becomes a directory, shard by shard, with its configuration and tokenizer. Numbers, " +
      "names and element types stay. Saved interventions are written anew, under pyvene's keys of today.",
    examples: [
      ["convert pytorch_model.bin model.safetensors", "One file"],
      ["convert ./old-model ./new-model", "A model, into the format that it is not in"],
      ["convert ./old-interventions ./new --model ./my-model", "Old keys of pyvene into new ones"],
      ["convert openai-community/gpt2 ./gpt2 --to torch", "A model of the Hub"],
    ],
  })
    .argument("<from>", "a directory, a file of tensors, or a model of the Hub")
    .argument("<to>", "a file, or a directory")
    .addOption(new Option("--to <format>", "the format").choices(["safetensors", "torch"]))
    .option("-m, --model <name>", "of saved interventions: the model they were made for")
    .option("--force", "replace what is there");
  return onRun(withPlaceOptions(command), host, convert);
}

async function convert(io: Io, from: string, target: string, options: Options): Promise<Report> {
  const [{ openPlace }, { convertWeights }, { isArtefact }] = await Promise.all([
    import("../files/open-place.ts"),
    import("../formats/convert-weights.ts"),
    import("../intervenable/saving/describe-artefact.ts"),
  ]);
  const done = await withProgress(io, async ({ onProgress }) => {
    const { files, file } = await openPlace(
      from,
      hubOptions(options, { signal: io.signal, onProgress }),
    );
    if (file === undefined && (await isArtefact(files))) {
      return convertSaved(io, files, target, options);
    }
    return convertWeights(files, target, {
      ...(file !== undefined && { file }),
      ...(options.to !== undefined && { format: options.to }),
      overwrite: options.force === true,
      onProgress,
      signal: io.signal,
    });
  });
  return { json: done, text: () => describe(done) };
}

/** What pyvene saved, in any of its ways of writing keys, as this library and pyvene write it today. */
async function convertSaved(
  io: Io,
  files: FileSource,
  target: string,
  { model: name, force, ...place }: Options,
): Promise<Conversion> {
  if (name === undefined) {
    throw new TsveneError(
      `convert: ${files.location} holds interventions, which are saved for a model: name it with --model`,
    );
  }
  const [{ IntervenableModel }, { describeArtefact, isArtefact }, { LocalFiles }] =
    await Promise.all([
      import("../intervenable/intervenable-model.ts"),
      import("../intervenable/saving/describe-artefact.ts"),
      import("../files/local-files.ts"),
    ]);
  const written = new LocalFiles(target);
  if (force !== true && (await isArtefact(written))) {
    throw new TsveneError(`convert: ${target} holds interventions already; --force replaces them`);
  }
  const model = await loadModel(io, { ...place, model: name, dtype: "float32" });
  await (await IntervenableModel.load(files, model, { includeModel: false })).save(target);
  const { tensors, bytes } = await describeArtefact(written);
  return { format: "safetensors", files: [target], tensors: tensors.length, bytes };
}

function describe({ format, tensors, bytes, files }: Conversion): string {
  return [
    `${tensors} tensors, ${bytesText(bytes)}, as ${format}:`,
    ...files.map((file) => `  ${file}`),
  ].join("\n");
}
