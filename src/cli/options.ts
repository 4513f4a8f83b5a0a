import { type Command, InvalidArgumentError, Option } from "commander";
import type { HubOptions } from "../files/hub-options.ts";

/** Options of every command that may fetch files. */
export interface PlaceOptions {
  readonly revision?: string;
  readonly cacheDir?: string;
  readonly offline?: boolean;
}

/** Options of every command that loads a model. */
export interface ModelOptions extends PlaceOptions {
  readonly model: string;
  readonly dtype: "float32" | "float16" | "bfloat16";
}

/** Adds options that say how the Hub is reached. */
export function withPlaceOptions(command: Command): Command {
  return command
    .option("--revision <name>", "branch, tag or commit on the Hub (default: main)")
    .option("--cache-dir <directory>", "where downloads are kept (default: Hugging Face's cache)")
    .option("--offline", "use only what is in the cache");
}

/** Adds options that say which model, and how it is kept. */
export function withModelOptions(command: Command): Command {
  command.option("-m, --model <name>", "directory, or model of the Hub", "tsvene-mini");
  withPlaceOptions(command);
  return command.addOption(
    new Option("--dtype <type>", "element type that weights are kept in")
      .choices(["float32", "float16", "bfloat16"])
      .default("float32"),
  );
}

/** The library's options of what {@link withPlaceOptions} reads. */
export function hubOptions(
  { revision, cacheDir, offline }: PlaceOptions,
  more: Pick<HubOptions, "signal" | "onProgress">,
): HubOptions {
  return {
    ...more,
    ...(revision !== undefined && { revision }),
    ...(cacheDir !== undefined && { cacheDir }),
    ...(offline === true && { localFilesOnly: true }),
  };
}

/** Reads a whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`A whole number of ${least} or more was expected.`);
  };
}

/** Reads "0,2,5-8" as numbers. */
export function numberList(text: string): number[] {
  return text.split(",").flatMap((part) => {
    const [, first, last = first] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === undefined || to < from || to - from > 10_000) {
      throw new InvalidArgumentError("Numbers were expected, such as 0,2,5-8.");
    }
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

/** Reads a number. */
export function finiteNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("A number was expected.");
}
