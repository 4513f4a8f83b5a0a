import { createRandom, type Random } from "./random.ts";
import { HELD_OUT_SHARE, SPLIT_SEED, type Split } from "./splits.ts";

const FEMALE_NAMES =
  "Mary Anna Emma Alice Lucy Sarah Julia Laura Kate Jane Rose " +
  "Grace Helen Maria Nora Clara Eva Ella Lily Mia Ruby Amy";

const MALE_NAMES =
  "John Tom James Peter Paul David Mark Jack Sam Ben Max " +
  "Leo Luke Adam Simon Robert Henry George Daniel Oscar Hugo Tim";

/** The names in indirect-object sentences; each is one token after a space. */
export const names: readonly string[] = `${FEMALE_NAMES} ${MALE_NAMES}`.split(" ");

const PLACES: readonly string[] =
  "store park school beach garden library museum market station zoo farm lake".split(" ");

const OBJECTS: readonly string[] = (
  "a drink, a book, a ball, an apple, a flower, a letter, a gift, a cake, a hat, a ring, " +
  "a kite, an orange"
).split(", ");

const VERBS: readonly string[] = ["gave", "handed", "showed", "passed", "offered"];

// The two people come first, in either order; one of them, {S}, then gives something to the other.
// None starts with a name: a name would have another token there, without its space.
const TEMPLATES: readonly string[] = [
  "When {A} and {B} went to the {place}, {S} {verb} {object} to",
  "After {A} and {B} went to the {place}, {S} {verb} {object} to",
  "While {A} and {B} were at the {place}, {S} {verb} {object} to",
  "When {A} met {B} at the {place}, {S} {verb} {object} to",
  "Then, {A} and {B} went to the {place}. {S} {verb} {object} to",
  "Then, {A} and {B} had a long talk at the {place}, and {S} {verb} {object} to",
  "One day, {A} and {B} were at the {place}. Then {S} {verb} {object} to",
  "After a long day at the {place}, {A} and {B} sat down, and {S} {verb} {object} to",
];

const SEQUELS: readonly string[] = [
  "{IO} thanked {S}.",
  "Then {IO} {verb} {object} to {S}.",
  "{S} and {IO} were friends.",
];

/** Two different people, in no particular order. */
export interface NamePair {
  readonly first: string;
  readonly second: string;
  readonly split: Split;
}

/** Mary and John are everybody's example, so they stay in training. */
function isShown({ first, second }: { first: string; second: string }): boolean {
  return first === "Mary" && second === "John";
}

function splitNamePairs(): NamePair[] {
  const pairs = names.flatMap((first, index) => {
    return names.slice(index + 1).map((second) => ({ first, second }));
  });
  const shuffled = createRandom(SPLIT_SEED).shuffle(pairs);
  const free = shuffled.filter((pair) => !isShown(pair));
  const heldOut = new Set(free.slice(0, Math.round(pairs.length * HELD_OUT_SHARE)));
  return pairs.map((pair) => ({ ...pair, split: heldOut.has(pair) ? "heldOut" : "trained" }));
}

/** All unordered pairs of names. Held-out pairs never occur in one training document. */
export const namePairs: readonly NamePair[] = splitNamePairs();

/** A sentence up to its indirect object, and who that is. */
export interface IndirectObject {
  readonly prompt: string;
  /** The one who receives: the answer. */
  readonly indirectObject: string;
  /** The one who gives, and is named twice. */
  readonly subject: string;
}

function fillThing(template: string, random: Random): string {
  return template
    .replace("{verb}", () => random.pick(VERBS))
    .replace("{object}", () => random.pick(OBJECTS));
}

/** Writes a prompt about two people, with their order and their roles drawn at random. */
export function writeIndirectObject(pair: NamePair, random: Random): IndirectObject {
  const people = random.shuffle([pair.first, pair.second]);
  const [subject = "", indirectObject = ""] = random.shuffle(people);
  const [first = "", second = ""] = people;
  const prompt = fillThing(random.pick(TEMPLATES), random)
    .replace("{place}", () => random.pick(PLACES))
    .replace("{A}", first)
    .replace("{B}", second)
    .replace("{S}", subject);
  return { prompt, indirectObject, subject };
}

const trainedPairs = namePairs.filter(({ split }) => split === "trained");

/** Writes one or two sentences about a trained pair. */
export function writeGift(random: Random): string {
  const { prompt, subject, indirectObject } = writeIndirectObject(
    random.pick(trainedPairs),
    random,
  );
  const sentence = `${prompt} ${indirectObject}.`;
  if (random.chance(0.4)) return sentence;
  const sequel = fillThing(random.pick(SEQUELS), random)
    .replace("{S}", subject)
    .replace("{IO}", indirectObject);
  return `${sentence} ${sequel}`;
}
