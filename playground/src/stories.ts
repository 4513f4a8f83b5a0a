import { type Picture, START } from "./picture.ts";

/** A question that the page answers when it is opened. */
export interface Story {
  readonly id: string;
  readonly title: string;
  /** What to look at, and what it says. */
  readonly text: string;
  readonly picture: Picture;
}

const NAMES = "When Mary and John went to the store, John gave a drink to";

export const STORIES: readonly Story[] = [
  {
    id: "fact",
    title: "Where is a fact?",
    text:
      "Each cell puts one state of the run on Italy into the run on Spain. In layer 0 the country's " +
      "own position carries the answer; one layer on, the last word has it. Select a cell to make that " +
      "patch, or several.",
    picture: START,
  },
  {
    id: "name",
    title: "Which head moves a name?",
    text:
      "Each cell spoils one attention head with the states of a sentence where Mary is the one who " +
      "gives. Head 0 of layer 2 finds out who came twice; heads 2 and 3 of layer 3 copy the other " +
      "name. Select a head to see where it looks.",
    picture: {
      ...START,
      view: "heads",
      clean: NAMES,
      corrupt: NAMES.replace(", John", ", Mary"),
      right: " Mary",
      wrong: " John",
      metric: "logitDifference",
    },
  },
  {
    id: "mood",
    title: "How does a direction change a mood?",
    text:
      "The way from sad sentences to happy ones, in what leaves layer 1, is added while a story is " +
      "written. Move the strength below zero for the way back.",
    picture: { ...START, view: "steer" },
  },
];
