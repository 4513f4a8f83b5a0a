import { terminalColumns, type TitledText } from "../plots/terminal-columns.ts";
import type { Io } from "./io.ts";

const ESCAPE = "\u001b[";

/** Texts side by side that grow while they are shown; without a terminal, shown once they are whole. */
export class LiveColumns {
  readonly #io: Io;
  #drawn: readonly string[] = [];
  #columns: readonly TitledText[] = [];

  constructor(io: Io) {
    this.#io = io;
  }

  /** Draws what has changed: the texts so far. */
  update(columns: readonly TitledText[]): void {
    this.#columns = columns;
    if (this.#io.height !== undefined) this.#draw(this.#io.height);
  }

  /** Ends with a line break, after which others may write. */
  end(): void {
    this.#draw(this.#io.height ?? Infinity);
    this.#io.write("\n");
    this.#drawn = [];
  }

  #draw(height: number): void {
    const { width, pen, write } = this.#io;
    const lines = terminalColumns(this.#columns, { width, colors: pen.mode }).split("\n");
    const drawn = this.#drawn;
    const changed = lines.findIndex((line, i) => line !== drawn[i]);
    if (changed < 0) return;
    // Lines that have left the screen stay as they were.
    const from = Math.max(changed, drawn.length - height + 1);
    const up = drawn.length - 1 - from;
    const back = drawn.length === 0 ? "" : moveTo(up);
    write(`${back}${lines.slice(from).join("\n")}`);
    this.#drawn = lines;
  }
}

/** To the beginning of a line that is so many lines above the last one, or the one after it. */
function moveTo(up: number): string {
  if (up < 0) return "\n";
  return `\r${up > 0 ? `${ESCAPE}${up}A` : ""}${ESCAPE}J`;
}
