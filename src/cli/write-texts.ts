import type { WrittenText } from "../models/generation/stream-text.ts";
import type { Io } from "./io.ts";
import { LiveColumns } from "./live-columns.ts";

/** A text that is being written. */
export interface Writing {
  readonly title: string;
  readonly texts: AsyncGenerator<WrittenText>;
}

const NOTHING: WrittenText = { text: "", tokens: [] };

/**
 * Shows texts while they are written, token by token all at once: one as it comes, several side by
 * side.
 *
 * @param prompt - Shown before them.
 * @returns What each became.
 */
export async function writeTexts(
  io: Io,
  writings: readonly Writing[],
  prompt: string = "",
): Promise<readonly WrittenText[]> {
  const show = shower(io, writings, prompt);
  const written = writings.map(() => NOTHING);
  const open = new Set(writings.keys());
  let isBegun = false;
  try {
    while (open.size > 0) {
      await Promise.all(
        [...open].map(async (i) => {
          const next = await writings[i]?.texts.next();
          if (next === undefined || next.done === true) open.delete(i);
          else written[i] = next.value;
        }),
      );
      show.update(written);
      isBegun = true;
    }
  } finally {
    if (isBegun) show.end();
  }
  return written;
}

interface Shower {
  readonly update: (written: readonly WrittenText[]) => void;
  readonly end: () => void;
}

function shower(io: Io, writings: readonly Writing[], prompt: string): Shower {
  if (io.json) return { update: () => undefined, end: () => undefined };
  if (writings.length === 1) return oneText(io, prompt);
  const columns = new LiveColumns(io);
  let isBegun = prompt === "";
  return {
    update: (written) => {
      if (!isBegun) io.write(`${io.pen.dim(prompt)}\n\n`);
      isBegun = true;
      columns.update(
        writings.map(({ title }, i) => ({ title, text: written[i]?.text.trim() ?? "" })),
      );
    },
    end: () => columns.end(),
  };
}

/** One text is written as it comes, so that a reader of a pipe has it at once, too. */
function oneText({ write, pen }: Io, prompt: string): Shower {
  let shown: number | undefined;
  return {
    update: ([{ text } = NOTHING]) => {
      if (shown === undefined) write(pen.dim(prompt));
      write(text.slice(shown));
      shown = text.length;
    },
    end: () => write("\n"),
  };
}
