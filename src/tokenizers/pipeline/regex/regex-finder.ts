import { type Budget, budgetFor } from "../budget.ts";
import { type Finder, withGaps } from "../splitting.ts";
import { compileRegex, type Program } from "./compile.ts";
import { parseRegex } from "./parse.ts";
import { matchAt } from "./run.ts";

/**
 * Finds all matches of a regular expression as Oniguruma understands it, one after another.
 * @throws TokenizerError when it cannot be read; the finder when a text takes it too many steps.
 */
export function regexFinder(pattern: string): Finder {
  const program = compileRegex(parseRegex(pattern));
  return (text) => withGaps(text, text === "" ? [] : matches(program, text));
}

/** An empty match right after another match is passed over. */
function* matches(program: Program, text: string): Generator<readonly [number, number]> {
  const budget = budgetFor(text);
  let from = 0;
  let lastEnd = -1;
  while (from <= text.length) {
    const found = search(program, text, from, budget);
    if (found === undefined) return;
    const [begin, end] = found;
    if (begin === end && lastEnd === end) {
      from = end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1);
      continue;
    }
    yield found;
    from = end;
    lastEnd = end;
  }
}

function search(
  program: Program,
  text: string,
  from: number,
  budget: Budget,
): readonly [begin: number, end: number] | undefined {
  for (let begin = from; begin <= text.length; begin++) {
    const end = matchAt(program, text, begin, budget);
    if (end >= 0) return [begin, end];
    if ((text.codePointAt(begin) ?? 0) > 0xffff) begin++;
  }
  return undefined;
}
