import { describe, expect, test } from "vitest";
import { countries } from "./countries.ts";
import {
  factPrompts,
  indirectObjectPrompts,
  neutralStoryBeginnings,
  storyBeginnings,
} from "./evaluation.ts";
import { namePairs } from "./indirect-objects.ts";
import { countMoodWords } from "./moods.ts";

describe("factPrompts", () => {
  test("asks the documented questions", () => {
    const prompts = factPrompts("trained");
    const answerTo = (prompt: string): string | undefined => {
      return prompts.find((fact) => fact.prompt === prompt)?.answer;
    };
    expect(answerTo("The capital of Spain is")).toBe(" Madrid");
    expect(answerTo("The language of Italy is")).toBe(" Italian");
  });

  test("asks about every country in both splits, and nothing twice", () => {
    const trained = factPrompts("trained");
    const heldOut = factPrompts("heldOut");
    const all = new Set([...trained, ...heldOut].map(({ prompt }) => prompt));
    expect(all.size).toBe(trained.length + heldOut.length);
    for (const prompts of [trained, heldOut]) {
      expect(new Set(prompts.map(({ country }) => country)).size).toBe(countries.length);
    }
  });

  test("ends prompts without a space and starts answers with one", () => {
    for (const { prompt, answer } of factPrompts("trained")) {
      expect(prompt).toMatch(/^[A-Z].*[a-z?]$/);
      expect(answer).toMatch(/^ \S/);
    }
  });
});

describe("indirectObjectPrompts", () => {
  test.each(["trained", "heldOut"] as const)("%s: asks for the name that stands once", (split) => {
    for (const { prompt, answer, distractor } of indirectObjectPrompts(split)) {
      expect(prompt.match(new RegExp(`${answer}\\b`, "g")), prompt).toHaveLength(1);
      expect(prompt.match(new RegExp(`${distractor}\\b`, "g")), prompt).toHaveLength(2);
      expect(prompt).toMatch(/ to$/);
    }
  });

  test("asks four times about each pair of its split, always the same", () => {
    const heldOut = namePairs.filter(({ split }) => split === "heldOut");
    expect(indirectObjectPrompts("heldOut")).toHaveLength(4 * heldOut.length);
    expect(heldOut.length / namePairs.length).toBeCloseTo(0.15, 2);
    expect(indirectObjectPrompts("heldOut")).toEqual(indirectObjectPrompts("heldOut"));
  });
});

describe("story beginnings", () => {
  test("tell who, where and how", () => {
    for (const { prompt, mood, character, place } of storyBeginnings("heldOut")) {
      expect(prompt).toContain(character);
      expect(prompt).toContain(`the ${place}`);
      expect(countMoodWords(prompt)[mood]).toBeGreaterThan(0);
    }
  });

  test("or leave the mood open", () => {
    expect(neutralStoryBeginnings()).toHaveLength(200);
    expect(countMoodWords(neutralStoryBeginnings().join(" "))).toEqual({
      happy: 0,
      sad: 0,
      angry: 0,
      calm: 0,
    });
  });
});
