import { printsItself } from "../../base/inspect.ts";
import { scoreLines } from "./score-text.ts";
import type { Interval, Spread } from "./statistics.ts";

/** What an accuracy is to be compared with. What does not apply, or was not asked for, is absent. */
export interface AlignmentControls {
  /**
   * The same examples without an intervention: how often the base's label is the counterfactual one;
   * without base labels, and for other metrics, what the unedited model gets.
   */
  readonly noEdit: number;
  /** Everything at the same sites swapped. */
  readonly fullSwap?: number;
  /** Interventions of the same class and size that learned nothing. */
  readonly random?: Spread;
  /** The same interventions at another site. */
  readonly otherSite?: {
    /** What they get there. */
    readonly iia: number;
    /** Where that is. */
    readonly site: string;
  };
  /** The most frequent label said always, or for two labels a guess between them. */
  readonly majority?: number;
  /** Interventions that were trained alike on the same examples with labels in another order. */
  readonly shuffledLabels?: number;
}

/** What an alignment gets on some of the examples. */
export interface PartScore {
  /** Mean of the metric. */
  readonly iia: number;
  /** Number of examples. */
  readonly n: number;
  /** Between what it lies, to 95 %. */
  readonly interval: Interval;
  /** As in {@link AlignmentControls}. */
  readonly noEdit: number;
  /** As in {@link AlignmentControls}. */
  readonly fullSwap?: number;
  /** Mean over the draws; as in {@link AlignmentControls}. */
  readonly random?: number;
}

/** What an alignment gets on the examples that intervene on the same variables. */
export interface VariablesScore extends PartScore {
  /** The variables that these examples intervene on. */
  readonly variables: readonly string[];
}

/** What an alignment gets on the examples of one family, such as `"cause"` or `"iso"`. */
export interface FamilyScore extends PartScore {
  /** Name of the family. */
  readonly family: string;
}

/** What a mask or boundary came to. */
export interface MaskReport {
  /** Name of the intervention. */
  readonly name: string;
  /** Number of dimensions that are swapped when it is decided. */
  readonly swapped: number;
  /** Number of dimensions. */
  readonly width: number;
  /** Share of the dimensions that get from .05 to .95 of the source. */
  readonly undecided: number;
  /** The share of the dimensions that a boundary says, as it is used: from .001 to 1. */
  readonly boundary?: number;
}

/** The fields of an {@link AlignmentScore}: plain data, which JSON keeps. */
export interface AlignmentScoreFields {
  /** Name of the metric. */
  readonly metric: string;
  /** Whether less of it is better. */
  readonly lowerIsBetter: boolean;
  /**
   * Interchange intervention accuracy: the share of examples with the right answer, with masks decided. Of
   * metrics that are no shares, the mean.
   */
  readonly iia: number;
  /** Number of examples that were counted. */
  readonly n: number;
  /** Number of examples that the metric left out, or that intervene on other variables. */
  readonly leftOut: number;
  /** Between what `iia` lies, to 95 %: Wilson's interval of a share, the normal one of another mean. */
  readonly interval: Interval;
  /**
   * How far `iia` is from what there is without any alignment (0) to perfect (1): with m the greater one of
   * `noEdit` and `majority`, (iia - m) / (1 - m). Absent for metrics that are no shares, and for m = 1.
   */
  readonly score?: number;
  /** What `iia` is to be compared with. */
  readonly controls: AlignmentControls;
  /** How often the unedited model is right on the bases; absent where the data has no labels of them. */
  readonly baseAccuracy?: number;
  /** `iia` with masks as soft as they are; absent without masks. */
  readonly soft?: number;
  /** What each mask came to. */
  readonly masks: readonly MaskReport[];
  /** The same by the variables that examples intervene on; one entry where all do on the same. */
  readonly byVariables: readonly VariablesScore[];
  /** The same by family; empty where examples have none. */
  readonly byFamily: readonly FamilyScore[];
}

/**
 * How well parts of a network are the variables of a causal model: the accuracy, and what it is to be
 * compared with. `String(score)` is a table.
 */
export class AlignmentScore implements AlignmentScoreFields {
  readonly metric: string;
  readonly lowerIsBetter: boolean;
  readonly iia: number;
  readonly n: number;
  readonly leftOut: number;
  readonly interval: Interval;
  readonly score?: number;
  readonly controls: AlignmentControls;
  readonly baseAccuracy?: number;
  readonly soft?: number;
  readonly masks: readonly MaskReport[];
  readonly byVariables: readonly VariablesScore[];
  readonly byFamily: readonly FamilyScore[];

  readonly #fields: AlignmentScoreFields;

  /** @param fields - What `toJSON` gave, or JSON kept. */
  constructor(fields: AlignmentScoreFields) {
    const { score, baseAccuracy, soft } = fields;
    this.#fields = fields;
    this.metric = fields.metric;
    this.lowerIsBetter = fields.lowerIsBetter;
    this.iia = fields.iia;
    this.n = fields.n;
    this.leftOut = fields.leftOut;
    this.interval = fields.interval;
    if (score !== undefined) this.score = score;
    this.controls = fields.controls;
    if (baseAccuracy !== undefined) this.baseAccuracy = baseAccuracy;
    if (soft !== undefined) this.soft = soft;
    this.masks = fields.masks;
    this.byVariables = fields.byVariables;
    this.byFamily = fields.byFamily;
  }

  /** The fields as plain data: `new AlignmentScore(JSON.parse(text))` is the same again. */
  toJSON(): AlignmentScoreFields {
    return this.#fields;
  }

  /** All of it as a table of words and numbers. */
  toString(): string {
    return scoreLines(this).join("\n");
  }
}

printsItself(AlignmentScore.prototype);
