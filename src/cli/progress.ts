import type { MultiBar, SingleBar } from "cli-progress";
import { bytesText } from "../base/quantities.ts";
import type { DownloadProgress } from "../files/download.ts";
import type { Io } from "./io.ts";

/** Bars on standard error. */
export interface Progress {
  /** Draws how far a file is. */
  readonly onProgress: (progress: DownloadProgress) => void;
  /** Draws how many of some things are done. */
  readonly onCount: (what: string, done: number, all: number) => void;
  /** Takes all bars away. */
  readonly stop: () => void;
}

const nothing = (): void => undefined;
const SILENT: Progress = { onProgress: nothing, onCount: nothing, stop: nothing };
const FORMAT = "{bar} {percentage}%  {done} of {all}  {file}";

/** Bars where standard error is a terminal, and nothing where it is none. */
export async function openProgress({ json }: Io): Promise<Progress> {
  if (json || !process.stderr.isTTY) return SILENT;
  const { MultiBar, Presets } = await import("cli-progress");
  const settings = {
    format: FORMAT,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 24,
    gracefulExit: false,
    stream: process.stderr,
  };
  const bars = new MultiBar(settings, Presets.shades_classic);
  const byFile = new Map<string, SingleBar>();
  // A process that ends in the middle must not leave the terminal without its cursor.
  const stop = (): void => bars.stop();
  process.once("exit", stop);
  return {
    onProgress: ({ file, loaded, total = 0 }) => {
      const texts = { file, done: bytesText(loaded), all: total === 0 ? "?" : bytesText(total) };
      draw(bars, byFile, [loaded, total], texts);
    },
    onCount: (what, done, all) => {
      draw(bars, byFile, [done, all], { file: what, done: String(done), all: String(all) });
    },
    stop: () => {
      process.off("exit", stop);
      stop();
    },
  };
}

/** What a bar says beside itself. */
interface BarTexts {
  readonly file: string;
  readonly done: string;
  readonly all: string;
}

function draw(
  bars: MultiBar,
  byFile: Map<string, SingleBar>,
  [done, all]: readonly [done: number, all: number],
  texts: BarTexts,
): void {
  const bar = byFile.get(texts.file) ?? bars.create(all, 0, texts);
  byFile.set(texts.file, bar);
  bar.update(done, texts);
}

/** Does work that may fetch files, with bars. */
export async function withProgress<T>(
  io: Io,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  const progress = await openProgress(io);
  try {
    return await work(progress);
  } finally {
    progress.stop();
  }
}
