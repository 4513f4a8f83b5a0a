import type { Command } from "commander";
import type { Pushed } from "../files/push-options.ts";
import { type CommandHost, makeCommand, onRun } from "./command.ts";
import type { Io, Report } from "./io.ts";
import { withProgress } from "./progress.ts";

interface Options {
  readonly private?: boolean;
  readonly message?: string;
  readonly revision?: string;
  readonly createPr?: boolean;
}

/** `tsvene push`: a directory, to the Hub. */
export function pushCommand(host: CommandHost): Command {
  const command = makeCommand({
    name: "push",
    summary: "Upload a directory to the Hub",
    details:
      "Puts a model or saved interventions into a repository, which is made when it is missing, in one " +
      "commit. A README.md of the directory goes with them; else they get a card that says how to load " +
      "them. The token is that of HF_TOKEN, or of `hf auth login`.",
    examples: [
      ["push ./my-model me/my-model --private", "A model, for oneself"],
      ['push ./honest me/honest --message "Train longer"', "Saved interventions"],
      ["push ./my-model org/model --create-pr", "As a proposal to others"],
    ],
  })
    .argument("<dir>", "what is uploaded, with its subdirectories")
    .argument("<repo>", '"organisation/name" or "user/name"')
    .option("--private", "only for those who may read it; of one that is there: it must be")
    .option("--message <title>", "title of the commit (default: Upload with tsvene)")
    .option("--revision <branch>", "branch, which is made when it is missing (default: main)")
    .option("--create-pr", "open a pull request instead of changing the branch");
  return onRun(command, host, push);
}

async function push(io: Io, directory: string, repo: string, given: Options): Promise<Report> {
  const { pushToHub } = await import("../intervenable/saving/push-to-hub.ts");
  const { private: isPrivate, message, revision, createPr } = given;
  const pushed = await withProgress(io, ({ onProgress }) =>
    pushToHub(directory, {
      repo,
      onProgress,
      signal: io.signal,
      ...(isPrivate !== undefined && { private: isPrivate }),
      ...(message !== undefined && { message }),
      ...(revision !== undefined && { revision }),
      ...(createPr !== undefined && { createPr }),
    }),
  );
  return { json: pushed, text: () => describe(pushed) };
}

function describe({ repo, url, pullRequestUrl }: Pushed): string {
  if (pullRequestUrl !== undefined) return `proposed to ${repo}: ${pullRequestUrl}`;
  return `uploaded to ${repo}: ${url}`;
}
