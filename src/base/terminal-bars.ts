import type { SingleBar } from "cli-progress";

/** Bars on standard error. */
export interface TerminalBars {
  /** Draws how much of something is done. */
  readonly draw: (what: string, done: number, all: number, texts: object) => void;
  /** Takes all bars away, and leaves a line in their place. */
  readonly stop: (line?: string) => void;
}

/**
 * Bars where standard error is a terminal, or undefined where it is none. Pages get another file in the
 * place of this one; see `imports` in package.json.
 *
 * @param format - A line of cli-progress: `{bar} {percentage}% {name of a text}`.
 */
export async function openTerminalBars(format: string): Promise<TerminalBars | undefined> {
  if (!process.stderr.isTTY) return undefined;
  const { MultiBar, Presets } = await import("cli-progress");
  const settings = {
    format,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 24,
    gracefulExit: false,
    stream: process.stderr,
  };
  const bars = new MultiBar(settings, Presets.shades_classic);
  const byName = new Map<string, SingleBar>();
  // A process that ends in the middle must not leave the terminal without its cursor.
  const stop = (): void => bars.stop();
  process.once("exit", stop);
  return {
    draw: (what, done, all, texts) => {
      const bar = byName.get(what) ?? bars.create(all, 0, texts);
      byName.set(what, bar);
      bar.update(done, texts);
    },
    stop: (line) => {
      process.off("exit", stop);
      stop();
      if (line !== undefined) process.stderr.write(`${line}\n`);
    },
  };
}
