import { fail } from "../base/errors.ts";
import type { Optimizer } from "./optimizer.ts";
import type { OptimizerOptions } from "./parameter-groups.ts";

/** The state of a schedule, in PyTorch's names. */
export interface ScheduleStateDict {
  /** Steps taken. */
  readonly last_epoch: number;
  /** The learning rates that are scaled, by group. */
  readonly base_lrs: readonly number[];
}

/** What a group's learning rate is multiplied by after so many steps. */
export type LearningRateFactor = (step: number) => number;

/**
 * Base of the schedules: sets the learning rate of each of an optimiser's groups to what it was at
 * first, times a factor. Call `step()` after each step of the optimiser.
 */
export abstract class LRScheduler<O extends OptimizerOptions = OptimizerOptions> {
  readonly #optimizer: Pick<Optimizer<O>, "groups">;
  readonly #factors: readonly LearningRateFactor[];
  #baseLrs: readonly number[];
  #step = 0;

  /** @param factors - One for every group, or one for all. */
  constructor(
    optimizer: Pick<Optimizer<O>, "groups">,
    factors: LearningRateFactor | readonly LearningRateFactor[],
  ) {
    const { groups } = optimizer;
    this.#optimizer = optimizer;
    this.#factors = typeof factors === "function" ? groups.map(() => factors) : factors;
    if (this.#factors.length !== groups.length) {
      fail(
        this.constructor.name,
        `expected one function or ${groups.length}, one for each group; got ${this.#factors.length}`,
      );
    }
    this.#baseLrs = groups.map((g) => (g.initialLr ??= g.lr));
    this.#set();
  }

  /** Goes on by one step. */
  step(): void {
    this.#step++;
    this.#set();
  }

  /** The learning rates in force, by group. */
  lastLr(): number[] {
    return this.#optimizer.groups.map((g) => g.lr);
  }

  /** What {@link loadStateDict} takes to go on from here; plain JSON. */
  stateDict(): ScheduleStateDict {
    return { last_epoch: this.#step, base_lrs: this.#baseLrs };
  }

  /** Goes on from a saved state, and sets the learning rates accordingly. */
  loadStateDict({ last_epoch: step, base_lrs: baseLrs }: ScheduleStateDict): void {
    const name = `${this.constructor.name}.loadStateDict`;
    if (!Number.isInteger(step) || step < 0) fail(name, `last_epoch is ${step}`);
    if (baseLrs.length !== this.#factors.length) {
      fail(name, `expected ${this.#factors.length} base_lrs, got ${baseLrs.length}`);
    }
    this.#step = step;
    this.#baseLrs = [...baseLrs];
    this.#set();
  }

  #set(): void {
    this.#optimizer.groups.forEach((group, i) => {
      const lr = (this.#baseLrs[i] ?? 0) * (this.#factors[i]?.(this.#step) ?? 1);
      if (!(lr >= 0)) {
        fail(this.constructor.name, `the learning rate of step ${this.#step} is ${lr}`);
      }
      group.lr = lr;
    });
  }
}
