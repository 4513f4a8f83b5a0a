import { capitalize, factPromptClause, factSentences } from "./facts.ts";
import { namePairs, writeIndirectObject } from "./indirect-objects.ts";
import type { Mood } from "./moods.ts";
import type { Relation } from "./phrasings.ts";
import { createRandom } from "./random.ts";
import { SPLIT_SEED, type Split } from "./splits.ts";
import { storySettings, writeNeutralBeginning, writeStoryBeginning } from "./stories.ts";

/** A fact as a question to the model. */
export interface FactPrompt {
  /** Ends without a space, as a person would type it; no special token before it. */
  readonly prompt: string;
  /** Starts with a space. Right if the model's next token is the first token of it. */
  readonly answer: string;
  readonly relation: Relation;
  /** The country that the fact is about. */
  readonly country: string;
}

/**
 * Every fact in every phrasing of the split.
 *
 * @example
 * factPrompts("trained")[0]; // { prompt: "The capital of Spain is", answer: " Madrid", ... }
 */
export function factPrompts(split: Split): FactPrompt[] {
  const sentences = factSentences.filter((sentence) => sentence.split === split);
  return sentences.map((sentence) => ({
    prompt: capitalize(factPromptClause(sentence)),
    answer: ` ${sentence.answer}`,
    relation: sentence.relation,
    country: sentence.country,
  }));
}

/** A sentence that asks who receives something. */
export interface IndirectObjectPrompt {
  readonly prompt: string;
  /** The name that occurs once in the prompt, after a space. */
  readonly answer: string;
  /** The name that occurs twice, after a space: the likely mistake. */
  readonly distractor: string;
}

/** Four prompts for each pair of names of the split, always the same ones. */
export function indirectObjectPrompts(split: Split): IndirectObjectPrompt[] {
  const random = createRandom(SPLIT_SEED);
  const pairs = namePairs.filter((pair) => pair.split === split);
  return pairs.flatMap((pair) => {
    return Array.from({ length: 4 }, () => {
      const { prompt, indirectObject, subject } = writeIndirectObject(pair, random);
      return { prompt, answer: ` ${indirectObject}`, distractor: ` ${subject}` };
    });
  });
}

/** The start of a story that tells its mood. */
export interface StoryBeginning {
  readonly prompt: string;
  readonly mood: Mood;
  readonly character: string;
  readonly place: string;
}

/**
 * One beginning for each setting of the split (character, place, mood), always the same ones. What
 * follows can be judged with `countMoodWords`.
 */
export function storyBeginnings(split: Split): StoryBeginning[] {
  const random = createRandom(SPLIT_SEED);
  const settings = storySettings.filter((setting) => setting.split === split);
  return settings.map((setting) => ({
    prompt: writeStoryBeginning(setting, random),
    mood: setting.mood,
    character: setting.character,
    place: setting.place,
  }));
}

/** Beginnings that leave the mood open, one for each character and place: what steering decides. */
export function neutralStoryBeginnings(): string[] {
  const random = createRandom(SPLIT_SEED);
  const settings = storySettings.filter(({ mood }) => mood === "happy");
  return settings.map((setting) => writeNeutralBeginning(setting, random));
}
