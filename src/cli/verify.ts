import type { Command } from "commander";
import type { FileSource } from "../files/file-source.ts";
import type { Verification } from "../models/catalogue/verify-checkpoint.ts";
import { type CommandHost, makeCommand, onRun } from "./command.ts";
import type { Io, Report } from "./io.ts";
import { loadModel } from "./load-model.ts";
import { hubOptions, type PlaceOptions, withPlaceOptions } from "./options.ts";
import { withProgress } from "./progress.ts";

interface Options extends PlaceOptions {
  readonly load: boolean;
  readonly model?: string;
}

/** `tsvene verify`: whether files are whole. */
export function verifyCommand(host: CommandHost): Command {
  const command = makeCommand({
    name: "verify",
    summary: "Look whether a model or interventions are whole",
    details:
      "Checks headers, checksums and numbers, and that model and tokenizer load. The exit code is 1 where a " +
      "check fails.",
    examples: [
      ["verify ./my-model", "All of a model"],
      ["verify ./my-model --no-load", "Without the memory that loading it takes"],
      ["verify ./honest --model tsvene-mini", "Saved interventions, and a model for them"],
      ["verify probe.bin --json", "One file, for a script"],
    ],
  })
    .argument("<place>", "a directory, a file of tensors, or a model of the Hub")
    .option("-m, --model <name>", "of interventions: a model to load them on")
    .option("--no-load", "do not load the model");
  return onRun(withPlaceOptions(command), host, verify);
}

async function verify(io: Io, place: string, options: Options): Promise<Report> {
  const [{ openPlace }, { verifyCheckpoint }, { isArtefact }] = await Promise.all([
    import("../files/open-place.ts"),
    import("../models/catalogue/verify-checkpoint.ts"),
    import("../intervenable/saving/describe-artefact.ts"),
  ]);
  const { signal } = io;
  const found = await withProgress(io, async ({ onProgress }) => {
    const { files, file } = await openPlace(place, hubOptions(options, { signal, onProgress }));
    if (file === undefined && (await isArtefact(files))) return verifySaved(io, files, options);
    const one = file !== undefined && { file };
    return verifyCheckpoint(files, { ...one, load: options.load && !one, onProgress, signal });
  });
  return { json: found, failed: !found.ok, text: () => describe(io, found) };
}

/** Saved interventions; on a model where one is named. */
async function verifySaved(
  io: Io,
  files: FileSource,
  { model, load, ...place }: Options,
): Promise<Verification> {
  const { verifyArtefact } = await import("../intervenable/saving/verify-artefact.ts");
  if (!load || model === undefined) return verifyArtefact(files);
  const loaded = await loadModel(io, { ...place, model, dtype: "float32" });
  return verifyArtefact(files, loaded);
}

function describe({ pen }: Io, { location, ok, checks }: Verification): string {
  const lines = checks.map(({ name, ok, message }) => {
    const mark = ok ? pen.ink([64, 160, 90], "ok    ") : pen.ink([214, 69, 65], "failed");
    return `${mark}  ${pen.bold(name)}: ${message}`;
  });
  const failed = checks.filter((check) => !check.ok).length;
  const end = ok ? "all checks passed" : `${failed} of ${checks.length} checks failed`;
  return [location, ...lines, end].join("\n");
}
