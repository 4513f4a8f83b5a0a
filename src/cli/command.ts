import { Command, type Option } from "commander";
import { type Io, processIo, type Report } from "./io.ts";

/** What the help of a command says. */
export interface CommandTexts {
  readonly name: string;
  readonly summary: string;
  /** What it does, below the summary. */
  readonly details?: string;
  /** Command lines without "tsvene", and what each is for. */
  readonly examples: readonly (readonly [line: string, purpose: string])[];
}

/** A command with its help and the option that all have. */
export function makeCommand({ name, summary, details, examples }: CommandTexts): Command {
  const command = new Command(name)
    .summary(summary)
    .description(details === undefined ? `${summary}.` : `${summary}.\n\n${details}`)
    .option("--json", "write one JSON document instead of text");
  const lines = examples.map(([line, purpose]) => `  # ${purpose}\n  $ tsvene ${line}`);
  return command.addHelpText("after", `\nExamples:\n${lines.join("\n\n")}`);
}

const NEEDED = new WeakSet<Option>();

/**
 * An option without which the command does not run. Commander would complain of it before it sees that
 * it is there under a mistyped name.
 */
export function needed(option: Option): Option {
  NEEDED.add(option);
  return option;
}

function requireNeeded(command: Command): void {
  const missing = command.options.find(
    (option) => NEEDED.has(option) && command.getOptionValue(option.attributeName()) === undefined,
  );
  if (missing !== undefined) command.error(`error: option '${missing.flags}' is needed`);
}

/** What running a command needs of the process that runs it. */
export interface CommandHost {
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Takes what a command found. */
  readonly report: (io: Io, report: Report) => Promise<void>;
}

/** Says what a command does: with its arguments in order, and then its options. */
export function onRun(
  command: Command,
  host: CommandHost,
  run: (io: Io, ...args: never[]) => Promise<Report>,
): Command {
  return command.action(async (...given: unknown[]) => {
    // Commander passes the command itself last.
    const args = given.slice(0, -1) as never[];
    requireNeeded(command);
    const { json = false } = command.opts<{ readonly json?: boolean }>();
    const io = processIo(json, host.signal);
    await host.report(io, await run(io, ...args));
  });
}
