import { CommanderError } from "commander";
import { TsveneError } from "../base/errors.ts";
import { errorLine, EXIT } from "./io.ts";
import { makeProgram } from "./program.ts";

/** How long an interrupted command may take to put things away, in milliseconds. */
const PATIENCE = 2_000;

/**
 * Runs the command line.
 *
 * @param args - What was written after the name of the program.
 * @returns The exit code; nothing is thrown.
 */
export async function runCli(args: readonly string[]): Promise<number> {
  endWithReader();
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
    setTimeout(() => process.exit(EXIT.interrupted), PATIENCE).unref();
  };
  process.on("SIGINT", interrupt);
  let said = "";
  let failed = false;
  const program = makeProgram({
    signal: controller.signal,
    say: (text) => (said += text),
    report: async (io, { json, text, failed: isFailure = false }) => {
      failed = isFailure;
      if (io.json) io.write(`${JSON.stringify(json, undefined, 2)}\n`);
      else if (text !== undefined) io.write(`${await text()}\n`);
    },
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return failed ? EXIT.failure : EXIT.ok;
  } catch (error) {
    if (controller.signal.aborted) return EXIT.interrupted;
    return sayError(error, said, args.includes("--json"));
  } finally {
    process.off("SIGINT", interrupt);
  }
}

/** A reader that has seen enough, such as `head`, ends the program without a word. */
function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.failure);
    });
  }
}

/** @param said - What commander has to say of it. */
function sayError(error: unknown, said: string, json: boolean): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    const message = said.trim() === "" ? error.message : said.trim();
    if (json) writeError("UsageError", message.replace(/^error: /, ""));
    else process.stderr.write(`${message.replace(/^error: /, errorLine(""))}\n`);
    return EXIT.usage;
  }
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const isKnown =
    error instanceof TsveneError || (error as NodeJS.ErrnoException).code !== undefined;
  if (json) writeError(name, message);
  // What is no answer to bad input is a defect, and whoever reports it needs to know where.
  else process.stderr.write(`${errorLine(isKnown ? message : (stack ?? message))}\n`);
  return EXIT.failure;
}

function writeError(name: string, message: string): void {
  process.stdout.write(`${JSON.stringify({ error: { name, message } }, undefined, 2)}\n`);
}
