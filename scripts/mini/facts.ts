import { countries } from "./countries.ts";
import { landmarks } from "./landmarks.ts";
import { phrasings, type Relation } from "./phrasings.ts";
import { createRandom, type Random } from "./random.ts";
import { HELD_OUT_SHARE, SPLIT_SEED, type Split } from "./splits.ts";

/** One fact: the subject's relation to the answer, and the country that it is about. */
export interface Fact {
  readonly relation: Relation;
  readonly subject: string;
  readonly answer: string;
  readonly country: string;
}

/** A fact in one phrasing. */
export interface FactSentence extends Fact {
  /** Index into `phrasings[relation]`. */
  readonly phrasing: number;
  readonly split: Split;
}

function factsOfCountries(): Fact[] {
  return countries.flatMap((country) => {
    const { name, capital, language, currency, continent } = country;
    const about = (relation: Relation, subject: string, answer: string): Fact => {
      return { relation, subject, answer, country: name };
    };
    return [
      about("capital", name, capital),
      about("capitalOf", capital, name),
      ...(language === undefined ? [] : [about("language", name, language)]),
      about("currency", name, currency),
      about("continent", name, continent),
    ];
  });
}

function factsOfLandmarks(): Fact[] {
  return landmarks.flatMap(({ name, city, country }): Fact[] => [
    { relation: "landmarkCity", subject: name, answer: city, country },
    { relation: "landmarkCountry", subject: name, answer: country, country },
  ]);
}

/** All facts of the corpus. */
export const facts: readonly Fact[] = [...factsOfCountries(), ...factsOfLandmarks()];

/**
 * Kept in training whatever the draw says: the examples that the documentation shows should not
 * hang on it.
 */
function isShown(fact: Fact, phrasing: number): boolean {
  return phrasing === 0 && (fact.country === "Spain" || fact.country === "Italy");
}

/** One held-out phrasing for most facts, two for some: never so many that a fact is unknown. */
function heldOutPhrasings(fact: Fact, random: Random): Set<number> {
  const all = phrasings[fact.relation].map((_, index) => index);
  const wanted = all.length * HELD_OUT_SHARE;
  const count = Math.floor(wanted) + (random.chance(wanted % 1) ? 1 : 0);
  const free = random.shuffle(all).filter((phrasing) => !isShown(fact, phrasing));
  return new Set(free.slice(0, count));
}

function splitSentences(): FactSentence[] {
  const random = createRandom(SPLIT_SEED);
  return facts.flatMap((fact) => {
    const heldOut = heldOutPhrasings(fact, random);
    return phrasings[fact.relation].map((_, phrasing): FactSentence => {
      return { ...fact, phrasing, split: heldOut.has(phrasing) ? "heldOut" : "trained" };
    });
  });
}

/** Every fact in every phrasing, each marked as trained or held out. */
export const factSentences: readonly FactSentence[] = splitSentences();

/** A fact's sentence without a capital letter at its start: ready to follow "I know that". */
export function factClause(sentence: FactSentence): string {
  return factPromptClause(sentence) + ` ${sentence.answer}.`;
}

/** The same up to the answer, without the space before it. */
export function factPromptClause({ relation, subject, phrasing }: FactSentence): string {
  const template = phrasings[relation][phrasing];
  if (template === undefined) {
    throw new Error(`factPromptClause: no phrasing ${phrasing} for the relation ${relation}`);
  }
  return template.replace(" {A}.", "").replace("{S}", subject);
}

/** The text with a capital letter at its start. */
export function capitalize(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
