import { describe, expect, test } from "vitest";
import { countMoodWords, moodNames, moods } from "./moods.ts";
import { createRandom } from "./random.ts";
import {
  storySettings,
  writeNeutralBeginning,
  writeStory,
  writeStoryBeginning,
} from "./stories.ts";

const random = createRandom(11);
const stories = Array.from({ length: 3000 }, () => writeStory(random));

describe("writeStory", () => {
  test("leaves no slot unfilled and no double space", () => {
    expect(stories.filter((story) => /[{}]|\(n\)| {2}|undefined/.test(story))).toEqual([]);
  });

  test("says a before consonants and an before vowels", () => {
    expect(stories.filter((story) => /\b[Aa] [aeiou]|\b[Aa]n [^aeiou]/.test(story))).toEqual([]);
  });

  test("starts every sentence with a capital letter and ends it", () => {
    expect(stories.filter((story) => /^[a-z]|[.!] [a-z]/.test(story))).toEqual([]);
    expect(stories.filter((story) => !/[.!]"?$/.test(story))).toEqual([]);
  });

  test("calls a girl she and a boy he", () => {
    const isMixed = (story: string): boolean => {
      const girl = /\bgirl\b/.test(story) && /\b(he|his|him)\b/i.test(story);
      const boy = /\bboy\b/.test(story) && /\b(she|her)\b/i.test(story);
      return girl || boy;
    };
    expect(stories.filter(isMixed)).toEqual([]);
  });

  test("has four to eight sentences", () => {
    for (const story of stories) {
      const sentences = story.split(/[.!]"?(?: |$)/).filter((part) => part !== "");
      expect(sentences.length, story).toBeGreaterThanOrEqual(4);
      expect(sentences.length, story).toBeLessThanOrEqual(8);
    }
  });

  test("keeps to one mood", () => {
    for (const story of stories) {
      const counts = Object.values(countMoodWords(story));
      expect(
        counts.filter((count) => count > 0),
        story,
      ).toHaveLength(1);
    }
  });

  test("names one person, so that no pair of names meets here", () => {
    const characters = new Set(storySettings.map(({ character }) => character));
    for (const story of stories) {
      const named = story.match(/\p{L}+/gu)?.filter((word) => characters.has(word)) ?? [];
      expect(new Set(named).size, story).toBe(1);
    }
  });
});

describe("beginnings", () => {
  test("tell their mood, or leave it open", () => {
    for (const setting of storySettings) {
      const told = countMoodWords(writeStoryBeginning(setting, random));
      expect(told[setting.mood]).toBeGreaterThan(0);
      const open = countMoodWords(writeNeutralBeginning(setting, random));
      expect(Object.values(open)).toEqual([0, 0, 0, 0]);
    }
  });
});

describe("moods", () => {
  test("share no word, and each occurs in a story", () => {
    const all = moodNames.flatMap((mood) => moods[mood].words);
    expect(new Set(all).size).toBe(all.length);
    const told = new Set(
      stories
        .join(" ")
        .toLowerCase()
        .match(/\p{L}+/gu),
    );
    expect(all.filter((word) => !told.has(word))).toEqual([]);
  });

  test("are counted without regard to case", () => {
    const counts = countMoodWords("She SMILED and danced. No one cried.");
    expect(counts).toEqual({ happy: 2, sad: 1, angry: 0, calm: 0 });
  });
});
