import { describe, expect, test } from "vitest";
import { countries } from "./countries.ts";
import { factClause, factPromptClause, facts, factSentences } from "./facts.ts";
import { landmarks } from "./landmarks.ts";
import { phrasings, type Relation } from "./phrasings.ts";

const relations = Object.keys(phrasings) as Relation[];

describe("the data", () => {
  test("has 60 countries with everything, each name once", () => {
    expect(countries.filter(({ language }) => language !== undefined).length).toBeGreaterThan(60);
    expect(new Set(countries.map(({ name }) => name)).size).toBe(countries.length);
    expect(new Set(countries.map(({ capital }) => capital)).size).toBe(countries.length);
  });

  test("has 40 landmarks, each in a known country", () => {
    const known = new Set(countries.map(({ name }) => name));
    expect(new Set(landmarks.map(({ name }) => name)).size).toBeGreaterThanOrEqual(40);
    expect(landmarks.filter(({ country }) => !known.has(country))).toEqual([]);
  });
});

describe("the phrasings", () => {
  test.each(relations)("%s: eight, each with a subject and its answer last", (relation) => {
    expect(phrasings[relation]).toHaveLength(8);
    for (const phrasing of phrasings[relation]) {
      expect(phrasing.match(/\{[A-Z]\}/g)).toEqual(["{S}", "{A}"]);
      expect(phrasing).toMatch(/ \{A\}\.$/);
    }
  });

  test("no fact's sentence stands inside another sentence", () => {
    const clauses = factSentences.map((sentence) => factClause(sentence).slice(0, -1));
    const nested = clauses.filter((clause) => {
      return clauses.some((other) => other !== clause && other.includes(clause));
    });
    expect(nested).toEqual([]);
  });

  test("no prompt goes on in two ways", () => {
    const clauses = factSentences.map(factClause).sort();
    const prompts = factSentences.map(factPromptClause);
    for (const [index, prompt] of prompts.entries()) {
      const sentence = factSentences[index];
      const others = clauses.filter((clause) => clause.startsWith(`${prompt} `));
      expect(others, `after "${prompt}"`).toEqual([`${prompt} ${sentence?.answer ?? ""}.`]);
    }
  });
});

describe("the split", () => {
  test("keeps at least six phrasings of every fact in training", () => {
    for (const fact of facts) {
      const trained = factSentences.filter(({ relation, subject, split }) => {
        return relation === fact.relation && subject === fact.subject && split === "trained";
      });
      expect(trained.length, `${fact.relation} of ${fact.subject}`).toBeGreaterThanOrEqual(6);
    }
  });

  test("keeps most subjects of every phrasing in training, and holds out some", () => {
    for (const relation of relations) {
      for (const phrasing of phrasings[relation].keys()) {
        const all = factSentences.filter((sentence) => {
          return sentence.relation === relation && sentence.phrasing === phrasing;
        });
        const share = all.filter(({ split }) => split === "heldOut").length / all.length;
        expect(share, `${relation} ${phrasing}`).toBeGreaterThan(0);
        expect(share, `${relation} ${phrasing}`).toBeLessThan(0.35);
      }
    }
  });

  test("holds out about 15 %", () => {
    const heldOut = factSentences.filter(({ split }) => split === "heldOut");
    expect(heldOut.length / factSentences.length).toBeCloseTo(0.15, 1);
  });

  test("trains the examples of the documentation", () => {
    const trained = new Set(
      factSentences.filter(({ split }) => split === "trained").map(factClause),
    );
    for (const example of [
      "the capital of Spain is Madrid.",
      "the capital of Italy is Rome.",
      "the language of Italy is Italian.",
    ]) {
      expect(trained).toContain(example);
    }
  });
});
