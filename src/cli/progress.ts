import { bytesText } from "../base/quantities.ts";
import { openTerminalBars } from "../base/terminal-bars.ts";
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
  const bars = json ? undefined : await openTerminalBars(FORMAT);
  if (bars === undefined) return SILENT;
  return {
    onProgress: ({ file, loaded, total = 0 }) => {
      const texts = { file, done: bytesText(loaded), all: total === 0 ? "?" : bytesText(total) };
      bars.draw(file, loaded, total, texts);
    },
    onCount: (what, done, all) => {
      bars.draw(what, done, all, { file: what, done: String(done), all: String(all) });
    },
    stop: () => bars.stop(),
  };
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
