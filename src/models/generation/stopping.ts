import type { Settings } from "./kinds.ts";
import type { Decoder, GenerateOptions, StoppingCriterion } from "./options.ts";
import { listOf } from "./settings.ts";

/** What ends texts besides stop tokens and the greatest length. */
export interface Stopping {
  /** Whether a text ends with its last token. */
  readonly ends: StoppingCriterion;
  /** Whether {@link Stopping.ends} looks at texts at all. */
  readonly looks: boolean;
  /** Begins to count the time. */
  readonly start: () => void;
  /** Whether the time is over, which ends all texts. */
  readonly isLate: () => boolean;
}

/** What the options say about ends. */
export function stoppingOf(settings: Settings, options: GenerateOptions): Stopping {
  const { stopStrings, maxTime } = settings;
  const { tokenizer, stoppingCriteria } = options;
  const strings =
    stopStrings === null || tokenizer === undefined ? [] : [stopStringEnd([stopStrings].flat(), tokenizer)]; // prettier-ignore
  const criteria = [...strings, ...listOf<StoppingCriterion>(stoppingCriteria)];
  let end = Infinity;
  return {
    looks: criteria.length > 0,
    // All are asked, as those of the caller may count.
    ends: (ids, scores) => criteria.filter((criterion) => criterion(ids, scores)).length > 0,
    start: () => {
      end = maxTime === null ? Infinity : performance.now() + 1000 * maxTime;
    },
    isLate: () => performance.now() > end,
  };
}

/** Tokens that are read again for each new one: more than any stop string has in practice. */
const TAIL = 32;

/** Whether the last token completes one of some strings, which may end inside of it. */
function stopStringEnd(strings: readonly string[], tokenizer: Decoder): StoppingCriterion {
  const longest = Math.max(...strings.map(({ length }) => length));
  const textOf = (ids: readonly number[]): string =>
    ids.length === 0 ? "" : tokenizer.decode(ids, { cleanUpTokenizationSpaces: false });
  return (ids) => {
    const tail = ids.slice(-(TAIL + longest));
    const [before, text] = [textOf(tail.slice(0, -1)), textOf(tail)];
    // Bytes that were no character yet may have become one.
    let same = 0;
    while (same < before.length && before[same] === text[same]) same++;
    return strings.some((string) => text.includes(string, same - string.length + 1));
  };
}
