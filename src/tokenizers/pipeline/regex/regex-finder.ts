import { type Finder, withGaps } from "../splitting.ts";
import { compileRegex } from "./compile.ts";
import { parseRegex } from "./parse.ts";
import { Matcher } from "./run.ts";

/**
 * Finds all matches of a regular expression as Oniguruma understands it, one after another.
 * @throws TokenizerError when it cannot be read; the finder when a text takes it too many steps.
 */
export function regexFinder(pattern: string): Finder {
  const program = compileRegex(parseRegex(pattern));
  return (text, budget) =>
    withGaps(text, text === "" ? [] : matches(new Matcher(program, text, budget), text));
}

/** An empty match right after another match is passed over. */
function* matches(matcher: Matcher, text: string): Generator<readonly [number, number]> {
  let from = 0;
  let lastEnd = -1;
  while (from <= text.length) {
    const found = search(matcher, text, from);
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
  matcher: Matcher,
  text: string,
  from: number,
): readonly [begin: number, end: number] | undefined {
  for (let begin = from; begin <= text.length; begin++) {
    const end = matcher.matchAt(begin);
    if (end >= 0) return [begin, end];
    if ((text.codePointAt(begin) ?? 0) > 0xffff) begin++;
  }
  return undefined;
}
