import { Command } from "commander";
import { chatCommand } from "./chat.ts";
import type { CommandHost } from "./command.ts";
import { completionCommand } from "./completion.ts";
import { convertCommand } from "./convert.ts";
import { explainCommand } from "./explain.ts";
import { inspectCommand } from "./inspect.ts";
import { patchCommand } from "./patch.ts";
import { pullCommand } from "./pull.ts";
import { pushCommand } from "./push.ts";
import { runCommand } from "./run.ts";
import { verifyCommand } from "./verify.ts";
import { packageVersion } from "./version.ts";

/** What the whole program needs of its process. */
export interface ProgramHost extends CommandHost {
  /** Takes what is wrong with the command line. */
  readonly say: (text: string) => void;
}

/** All commands, in the order of the help. */
const COMMANDS: readonly ((host: CommandHost) => Command)[] = [
  inspectCommand,
  runCommand,
  patchCommand,
  chatCommand,
  explainCommand,
  convertCommand,
  verifyCommand,
  pushCommand,
  pullCommand,
];

/** The program with its commands; what they need to work is loaded when one of them runs. */
export function makeProgram(host: ProgramHost): Command {
  const program = new Command("tsvene")
    .description("Understand and improve neural networks by intervening on their inner states.")
    .version(packageVersion(), "-V, --version", "write the version")
    .helpCommand("help [command]", "write the help of a command")
    .usage("<command> [options]")
    .addHelpText("after", AFTER);
  for (const command of COMMANDS) program.addCommand(command(host));
  program.addCommand(completionCommand(host, program));
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .configureOutput({ writeErr: host.say })
      .configureHelp({ sortOptions: false })
      .helpOption("-h, --help", "write this help")
      .showHelpAfterError(
        `("tsvene ${command === program ? "" : `${command.name()} `}--help" says more)`,
      );
  }
  return program;
}

const AFTER = `
Without --model, commands use tsvene-mini, a small model that comes with the
package. A model is a directory, or "organisation/name" on the Hugging Face Hub;
private ones need the environment variable HF_TOKEN.

Exit codes: 0 done, 1 failed, 2 wrong command line, 130 interrupted.

Examples:
  $ tsvene run --prompt "The capital of Spain is"
  $ tsvene patch --base "The capital of Spain is" \\
      --source "The capital of Italy is" --answer " Rome"
  $ tsvene inspect ./my-model --json | jq .numbers`;
