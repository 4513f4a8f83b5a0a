import { splitLines, stripEnd, textLength, textSlice } from "./characters.ts";
import { TemplateError } from "./template-error.ts";
import type { Run } from "./values.ts";

interface WrapOptions {
  readonly width: number;
  readonly breakWords: boolean;
}

/** Words and the white space between them; Python's `textwrap` knows six characters of it. */
function chunksOf(line: string): string[] {
  return line.split(/([\t\n\v\f\r ]+)/).filter((chunk) => chunk !== "");
}

function isBlank(chunk: string): boolean {
  return stripEnd(chunk) === "";
}

/** As Python's `textwrap.wrap` of one line, without breaks at hyphens. */
function wrapLine(line: string, { width, breakWords }: WrapOptions): string[] {
  const chunks = chunksOf(line).reverse();
  const lines: string[] = [];
  while (chunks.length > 0) {
    if (lines.length > 0 && isBlank(chunks.at(-1) ?? "x")) chunks.pop();
    const taken: string[] = [];
    let length = 0;
    for (let next = chunks.at(-1); next !== undefined; next = chunks.at(-1)) {
      if (length + textLength(next) > width) break;
      taken.push(next);
      length += textLength(next);
      chunks.pop();
    }
    const next = chunks.at(-1);
    if (next !== undefined && textLength(next) > width) {
      const room = width - length;
      if (breakWords) {
        taken.push(textSlice(next, 0, room));
        chunks[chunks.length - 1] = textSlice(next, room, textLength(next));
      } else if (taken.length === 0) {
        taken.push(next);
        chunks.pop();
      }
    }
    if (isBlank(taken.at(-1) ?? "x")) taken.pop();
    if (taken.length > 0) lines.push(taken.join(""));
  }
  return lines;
}

/** The lines of the filter `wordwrap`; a line that is there already stays one. */
export function wrapText(run: Run, text: string, options: WrapOptions): string[] {
  if (options.width <= 0) throw new TemplateError(`invalid width ${options.width} (must be > 0)`);
  run.budget.spend(text.length);
  return splitLines(text).flatMap((line) => {
    const wrapped = wrapLine(line, options);
    return wrapped.length === 0 ? [""] : wrapped;
  });
}
