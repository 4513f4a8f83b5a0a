import { capitalize, factClause, type FactSentence, factSentences } from "./facts.ts";
import type { Random } from "./random.ts";

/** Put before a clause now and then, so that facts do not hang on their distance from the start. */
const FRAMES: readonly string[] = [
  "I know that ",
  "We learned that ",
  "It is true that ",
  "The teacher said that ",
  "My book says that ",
];

const trained = factSentences.filter(({ split }) => split === "trained");

function writeSentence(sentence: FactSentence, random: Random): string {
  const clause = factClause(sentence);
  const isQuestion = clause.includes("?");
  if (isQuestion || !random.chance(0.15)) return capitalize(clause);
  return random.pick(FRAMES) + clause;
}

/**
 * Writes one to three trained facts, drawn independently: a fact must be known, not copied from
 * the sentence before.
 */
export function writeFacts(random: Random): string {
  const count = random.pick([1, 1, 1, 2, 2, 3]);
  const sentences = Array.from({ length: count }, () => {
    return writeSentence(random.pick(trained), random);
  });
  return sentences.join(" ");
}
