/** Something to be measured: set up once, then run again and again. */
export interface Job {
  readonly name: string;
  /** Prepares the job; what it returns is timed, every result brought to the host. */
  readonly prepare: () => Promise<Prepared>;
  /** Tokens that each run writes, for the speed of writers. */
  readonly tokens?: number;
  /**
   * Whether programs may hold the weights themselves. Where these come to lie in memory makes one
   * program some percent faster than another, which must not blur what an edit costs.
   *
   * @default true
   */
  readonly weightsWithin?: boolean;
}

/** One measured run; with what it is set beside, run after run, where noise must not blur the ratio. */
export type Prepared = (() => Promise<unknown>) | Compared;

/** A run and another one, in turn. */
export interface Compared {
  readonly run: () => Promise<unknown>;
  /** What runs in turn with it; or, in words, why nothing does. */
  readonly beside: (() => Promise<unknown>) | string;
  /** What the other one is. @default "its ceiling" */
  readonly other?: string;
  /** Ends what was started for it. */
  readonly close?: () => void;
}
