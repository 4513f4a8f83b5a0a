import { detectColors, type Painter, painter } from "../plots/terminal-colors.ts";

/** How the process ends, for scripts. */
export const EXIT = {
  ok: 0,
  /** What was asked for could not be done, or a check failed. */
  failure: 1,
  /** The command line itself was wrong. */
  usage: 2,
  /** As shells say it of what Ctrl-C ended. */
  interrupted: 130,
} as const;

/** What a command found, in both forms. */
export interface Report {
  /** For `--json`: plain data, whose names stay from version to version. */
  readonly json: unknown;
  /** For people; asked for only where it is shown. Undefined for what was shown as it came. */
  readonly text?: () => string | Promise<string>;
  /** Whether a check failed, so that the exit code says so. @default false */
  readonly failed?: boolean;
}

/** Where a command writes, and for whom. */
export interface Io {
  /** Whether one JSON document is wanted, and no text. */
  readonly json: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Colours of standard output. */
  readonly pen: Painter;
  /** Columns of the terminal; 80 where there is none. */
  readonly width: number;
  /** Lines of the terminal; undefined where standard output is none. */
  readonly height: number | undefined;
  /** Writes to standard output. */
  readonly write: (text: string) => void;
  /** Writes a line to standard error: what is no result. */
  readonly note: (text: string) => void;
}

/** Columns where nobody says how many there are. */
const WIDTH = 80;

/** The process's own streams. */
export function processIo(json: boolean, signal: AbortSignal): Io {
  const { stdout, stderr } = process;
  return {
    json,
    signal,
    pen: painter("tsvene", { colors: json ? "none" : detectColors() }),
    width: stdout.isTTY ? stdout.columns : Number(process.env["COLUMNS"]) || WIDTH,
    height: stdout.isTTY ? stdout.rows : undefined,
    write: (text) => void stdout.write(text),
    note: (text) => void stderr.write(`${text}\n`),
  };
}

/** An error for standard error, its first word in colour where that is a terminal. */
export function errorLine(message: string): string {
  const { stderr, env } = process;
  const getBuiltinModule = (name: "node:tty") => process.getBuiltinModule(name);
  const pen = painter("tsvene", {
    colors: detectColors({ stdout: stderr, env, getBuiltinModule }),
  });
  return `${pen.ink([214, 69, 65], "error:")} ${message}`;
}
