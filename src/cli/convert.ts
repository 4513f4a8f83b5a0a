import { type Command, Option } from "commander";
import { bytesText } from "../base/quantities.ts";
import type { Conversion, WeightFormat } from "../formats/convert-weights.ts";
import { type CommandHost, makeCommand, onRun } from "./command.ts";
import type { Io, Report } from "./io.ts";
import { hubOptions, type PlaceOptions, withPlaceOptions } from "./options.ts";
import { withProgress } from "./progress.ts";

interface Options extends PlaceOptions {
  readonly to?: WeightFormat;
  readonly force?: boolean;
}

/** `tsvene convert`: weights in the other format. */
export function convertCommand(host: CommandHost): Command {
  const command = makeCommand({
    name: "convert",
    summary: "Write weights in the other format",
    details:
      "Safetensors and the files of PyTorch become one another. A file becomes a file, whose ending says the " +
      "format; a model becomes a directory, shard by shard, with its configuration and tokenizer. Numbers, " +
      "names and element types stay.",
    examples: [
      ["convert pytorch_model.bin model.safetensors", "One file"],
      ["convert ./old-model ./new-model", "A model, into the format that it is not in"],
      ["convert openai-community/gpt2 ./gpt2 --to torch", "A model of the Hub"],
    ],
  })
    .argument("<from>", "a directory, a file of tensors, or a model of the Hub")
    .argument("<to>", "a file, or a directory")
    .addOption(new Option("--to <format>", "the format").choices(["safetensors", "torch"]))
    .option("--force", "replace what is there");
  return onRun(withPlaceOptions(command), host, convert);
}

async function convert(io: Io, from: string, target: string, options: Options): Promise<Report> {
  const [{ openPlace }, { convertWeights }] = await Promise.all([
    import("../files/open-place.ts"),
    import("../formats/convert-weights.ts"),
  ]);
  const done = await withProgress(io, async ({ onProgress }) => {
    const { files, file } = await openPlace(
      from,
      hubOptions(options, { signal: io.signal, onProgress }),
    );
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

function describe({ format, tensors, bytes, files }: Conversion): string {
  return [
    `${tensors} tensors, ${bytesText(bytes)}, as ${format}:`,
    ...files.map((file) => `  ${file}`),
  ].join("\n");
}
