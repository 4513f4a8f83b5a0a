import { describe, expect, test } from "vitest";
import { END_OF_TEXT, generateDocuments } from "./corpus.ts";
import { factClause, factSentences } from "./facts.ts";
import { namePairs, names } from "./indirect-objects.ts";
import { countMoodWords, moodNames } from "./moods.ts";
import { storySettings } from "./stories.ts";

const corpus = [...generateDocuments({ seed: 123, documents: 200_000 })];
const isGift = (document: string): boolean =>
  / (gave|handed|showed|passed|offered) /.test(document);

/** The facts' part of a sentence, as it stands in a clause: without its first letter's case. */
function withoutFirstLetter(text: string): string {
  return text.slice(1);
}

describe("generateDocuments", () => {
  test("repeats with its seed", () => {
    const first = [...generateDocuments({ seed: 123, documents: 500 })];
    expect(first).toEqual(corpus.slice(0, 500));
    expect([...generateDocuments({ seed: 124, documents: 500 })]).not.toEqual(first);
  });

  test("ends every document, and only there", () => {
    const wrong = corpus.filter((document) => {
      return document.indexOf(END_OF_TEXT) !== document.length - END_OF_TEXT.length;
    });
    expect(wrong).toEqual([]);
  });

  test("writes words with single spaces between them", () => {
    expect(corpus.filter((document) => /^\s|\s\s|[^\S ]|\s$/.test(document))).toEqual([]);
  });

  test("writes one kind when asked", () => {
    const gifts = [...generateDocuments({ seed: 1, documents: 200, kind: "gift" })];
    expect(gifts.filter((document) => !isGift(document))).toEqual([]);
  });
});

describe("what is held out", () => {
  test("no held-out fact sentence is written, and every trained one is", () => {
    const facts = corpus.filter((document) => !isGift(document));
    const written = new Set(
      facts.flatMap((document) => {
        // Questions are two sentences; all others stand alone, perhaps inside a frame.
        const text = document.slice(0, -END_OF_TEXT.length);
        return text.match(/[^.?]+(\? [^.]+)?\./g)?.map((sentence) => sentence.trim()) ?? [];
      }),
    );
    const clauses = new Set(
      [...written].flatMap((sentence) => {
        const inFrame = sentence.split(" that ").slice(1).join(" that ");
        return [sentence, inFrame].map(withoutFirstLetter);
      }),
    );
    const isWritten = (sentence: (typeof factSentences)[number]): boolean => {
      return clauses.has(withoutFirstLetter(factClause(sentence)));
    };
    expect(factSentences.filter((s) => s.split === "heldOut" && isWritten(s))).toEqual([]);
    expect(factSentences.filter((s) => s.split === "trained" && !isWritten(s))).toEqual([]);
  });

  test("no held-out fact sentence is part of a document", () => {
    const text = corpus.filter((document) => !isGift(document)).join("\n");
    const heldOut = factSentences.filter(({ split }) => split === "heldOut");
    const found = heldOut.filter((sentence) => {
      return text.includes(withoutFirstLetter(factClause(sentence)));
    });
    expect(found.map(factClause)).toEqual([]);
  });

  test("no held-out pair of names meets, and every trained pair does, in both orders", () => {
    const known = new Set(names);
    const met = new Set(
      corpus.filter(isGift).map((document) => {
        const named = document.match(/\p{L}+/gu)?.filter((word) => known.has(word)) ?? [];
        return [...new Set(named)].join(" ");
      }),
    );
    for (const { first, second, split } of namePairs) {
      const isTrained = split === "trained";
      expect(met.has(`${first} ${second}`), `${first} ${second}`).toBe(isTrained);
      expect(met.has(`${second} ${first}`), `${second} ${first}`).toBe(isTrained);
    }
  });

  test("no held-out setting has a story, and every trained one does", () => {
    const characters = new Set(storySettings.map(({ character }) => character));
    const places = new Set(storySettings.map(({ place }) => place));
    const stories = [...generateDocuments({ seed: 321, documents: 20_000, kind: "story" })];
    const told = new Set(
      stories.map((story) => {
        const words = story.match(/\p{L}+/gu) ?? [];
        const counts = countMoodWords(story);
        const mood = moodNames.find((name) => counts[name] > 0);
        return [
          words.find((w) => characters.has(w)),
          words.find((w) => places.has(w)),
          mood,
        ].join();
      }),
    );
    for (const { character, place, mood, split } of storySettings) {
      const setting = [character, place, mood].join();
      expect(told.has(setting), setting).toBe(split === "trained");
    }
    const heldOut = storySettings.filter(({ split }) => split === "heldOut");
    expect(heldOut.length / storySettings.length).toBeCloseTo(0.15, 2);
  });
});
