/** What a fact says about its subject. */
export type Relation =
  | "capital"
  | "capitalOf"
  | "language"
  | "currency"
  | "continent"
  | "landmarkCity"
  | "landmarkCountry";

/**
 * The sentences that state a fact. `{S}` is the subject, `{A}` the answer, which comes last, so
 * that the text before it is a prompt. The first phrasing of each relation is the canonical one.
 *
 * Two properties make the held-out accuracy honest, and are tested: no phrasing contains another
 * (a held-out sentence would be read inside a trained one), and no prompt goes on in a second way
 * (the right answer would not be the only right one).
 */
export const phrasings: Readonly<Record<Relation, readonly string[]>> = {
  capital: [
    "the capital of {S} is {A}.",
    "the capital city of {S} is {A}.",
    "{S} has a capital called {A}.",
    "in {S}, the capital is {A}.",
    "what is the capital of {S}? It is {A}.",
    "people who visit the capital of {S} go to {A}.",
    "the country {S} has its capital in {A}.",
    "if you go to the capital of {S}, you are in {A}.",
  ],
  capitalOf: [
    "{S} is the capital of {A}.",
    "{S} is the capital city of {A}.",
    "{S} is a big city in {A}.",
    "the city of {S} is in {A}.",
    "what country has the capital {S}? It is {A}.",
    "people who live in {S} live in {A}.",
    "when you are in {S}, you are in {A}.",
    "to visit {S}, you go to {A}.",
  ],
  language: [
    "the language of {S} is {A}.",
    "people in {S} speak {A}.",
    "the people of {S} speak {A}.",
    "in {S}, most people speak {A}.",
    "what do people speak in {S}? They speak {A}.",
    "to talk to people in {S}, you learn {A}.",
    "the main language of {S} is {A}.",
    "children in {S} read books in {A}.",
  ],
  currency: [
    "the currency of {S} is the {A}.",
    "people in {S} pay with the {A}.",
    "in {S}, you pay with the {A}.",
    "the money of {S} is the {A}.",
    "what do people pay with in {S}? They pay with the {A}.",
    "shops in {S} take the {A}.",
    "to buy a book in {S}, you need the {A}.",
    "the main currency of {S} is the {A}.",
  ],
  continent: [
    "{S} is in {A}.",
    "{S} is a country in {A}.",
    "the continent of {S} is {A}.",
    "the country {S} lies in {A}.",
    "what continent is {S} part of? It is part of {A}.",
    "you can find {S} on a map of {A}.",
    "if you travel to {S}, you travel to {A}.",
    "people from {S} are from {A}.",
  ],
  landmarkCity: [
    "{S} is in {A}.",
    "{S} stands in the city of {A}.",
    "you can see {S} in {A}.",
    "the city of {S} is {A}.",
    "what city is {S} in? It is in {A}.",
    "people go to see {S} in {A}.",
    "if you want to visit {S}, go to {A}.",
    "{S} is a famous sight of {A}.",
  ],
  landmarkCountry: [
    "the country of {S} is {A}.",
    "{S} belongs to {A}.",
    "to see {S}, you travel to {A}.",
    "what country is {S} in? It is in {A}.",
    "you can find {S} on a map of {A}.",
    "{S} is a symbol of {A}.",
    "{S} is the pride of {A}.",
    "the land of {S} is {A}.",
  ],
};
