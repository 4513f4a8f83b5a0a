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
export type Prepared =
  | (() => Promise<unknown>)
  | { readonly run: () => Promise<unknown>; readonly beside: () => Promise<unknown> };
