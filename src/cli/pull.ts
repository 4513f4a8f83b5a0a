import type { Command } from "commander";
import { type CommandHost, makeCommand, onRun } from "./command.ts";
import type { Io, Report } from "./io.ts";
import { hubOptions } from "./options.ts";
import { withProgress } from "./progress.ts";

interface Options {
  readonly revision?: string;
  readonly cacheDir?: string;
  readonly force?: boolean;
}

/** `tsvene pull`: a repository of the Hub, into a directory. */
export function pullCommand(host: CommandHost): Command {
  const command = makeCommand({
    name: "pull",
    summary: "Download a repository of the Hub",
    details:
      "Writes all files of a repository into a directory, by default one of its name here. What the cache " +
      "has is not downloaded again, and what is there already is not written again. The token for " +
      "private ones is that of HF_TOKEN, or of `hf auth login`.",
    examples: [
      ["pull openai-community/gpt2", "Into ./gpt2"],
      ["pull me/honest out/honest --revision v2", "A branch, tag or commit, elsewhere"],
      ["pull me/honest out/honest --force", "In the place of what was changed there"],
    ],
  })
    .argument("<repo>", '"organisation/name"')
    .argument("[dir]", "where its files are written (default: its name)")
    .option("--revision <name>", "branch, tag or commit on the Hub (default: main)")
    .option("--cache-dir <directory>", "where downloads are kept (default: Hugging Face's cache)")
    .option("--force", "replace files that are there and of other content");
  return onRun(command, host, pull);
}

async function pull(
  io: Io,
  repo: string,
  directory: string | undefined,
  { force = false, ...place }: Options,
): Promise<Report> {
  const { pullFromHub } = await import("../files/pull-from-hub.ts");
  const target = directory ?? repo.slice(repo.lastIndexOf("/") + 1);
  const pulled = await withProgress(io, ({ onProgress }) => {
    const hub = hubOptions(place, { signal: io.signal, onProgress });
    return pullFromHub(repo, target, { ...hub, overwrite: force });
  });
  const { files, commit } = pulled;
  const text = `${files.length} files of ${repo}, at ${commit.slice(0, 12)}, in ${target}`;
  return { json: pulled, text: () => text };
}
