/** What the page shows, as plain data: all of it is in the page's address. */
export interface Picture {
  readonly model: ModelChoice;
  readonly view: View;
  /** The prompt whose states are put in. */
  readonly clean: string;
  /** The prompt that is patched. */
  readonly corrupt: string;
  /** What the clean prompt should go on with; the likeliest if it is empty. */
  readonly right: string;
  /** What the other prompt goes on with; its likeliest if it is empty. */
  readonly wrong: string;
  readonly metric: Metric;
  readonly component: string;
  /** Patches that are made together. */
  readonly chosen: readonly Cell[];
  /** The head whose attention is shown. */
  readonly head: Cell;
  readonly steering: SteeringPicture;
  readonly edits: readonly EditPicture[];
}

/** Where a model comes from: with the page, the Hub, or an address. */
export interface ModelChoice {
  readonly from: "page" | "hub" | "url";
  readonly name: string;
}

/** A place of the map: a layer, and a position or a head. */
export interface Cell {
  readonly layer: number;
  readonly place: number;
}

/** Texts, and the way from some to others that is added while they are written. */
export interface SteeringPicture {
  readonly prompt: string;
  readonly positive: readonly string[];
  readonly negative: readonly string[];
  readonly layer: number;
  readonly strength: number;
  readonly tokens: number;
}

/** An intervention of the editor. */
export interface EditPicture {
  readonly intervention: string;
  readonly component: string;
  readonly layer: number;
  /** All positions if it is below 0. */
  readonly position: number;
}

export const VIEWS = ["map", "lens", "heads", "steer", "edit"] as const;
export type View = (typeof VIEWS)[number];
export const METRICS = ["probability", "logitDifference"] as const;
export type Metric = (typeof METRICS)[number];

export const START: Picture = {
  model: { from: "page", name: "tsvene-mini" },
  view: "map",
  clean: "The capital of Italy is",
  corrupt: "The capital of Spain is",
  right: "",
  wrong: "",
  metric: "probability",
  component: "block_input",
  chosen: [],
  head: { layer: 2, place: 0 },
  steering: {
    prompt: "One morning, a little girl named Rose was on the farm.",
    positive: ["She was happy", "It was the best day", "She smiled", "He jumped for joy"],
    negative: ["She was sad", "It was the worst day", "She cried", "He was full of sorrow"],
    layer: 1,
    strength: 1,
    tokens: 40,
  },
  edits: [{ intervention: "ZeroIntervention", component: "mlp_output", layer: 0, position: -1 }],
};
