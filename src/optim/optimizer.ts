import { describeValue } from "../base/describe-value.ts";
import type { Parameter } from "../nn/parameter.ts";
import { encodeNumbers, leaf } from "../tensor/ops/apply.ts";
import { grad } from "../tensor/autograd.ts";
import { allocate } from "../tensor/dtype.ts";
import { fail, internal } from "../base/errors.ts";
import { gradientOperands, pending, upstream } from "../tensor/graph.ts";
import { evaluate } from "../tensor/evaluate.ts";
import { sameShape, show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { clipGradNorm } from "./clip-grad-norm.ts";
import {
  type OptimizerOptions,
  type ParameterGroup,
  parameterGroups,
  type Parameters,
} from "./parameter-groups.ts";
import {
  groupFromDict,
  groupToDict,
  type OptimizerStateDict,
  type ParameterState,
  stateFromDict,
  stateToDict,
  workShape,
} from "./state-dict.ts";

/** Options of one step. */
export interface StepOptions {
  /** Scale the gradients down together to at most this norm. @default no limit */
  readonly maxGradNorm?: number;
  /** Other tensors to compute in the same program, such as logits for a metric. @default none */
  readonly also?: readonly Tensor[];
  /**
   * Called when all is computed, with the new parameters and states, before they are put in place. If it
   * throws, the step is refused: nothing has changed. @default every step is taken
   */
  readonly accept?: (updated: readonly Tensor[]) => void;
}

/** What an optimiser's rule works from, for one parameter. Nothing has less than one dimension. */
export interface UpdateInput<O> {
  /** The value before the step. */
  readonly parameter: Tensor;
  /** The loss's gradient, in the parameter's shape. */
  readonly gradient: Tensor;
  /** The options of the parameter's group. */
  readonly options: Readonly<O>;
  /** 1 for the parameter's first update. */
  readonly step: number;
  /** A tensor of the parameter's shape, kept from step to step under this name; zeros at first. */
  readonly state: (name: string) => Tensor;
  /** A number as data, so that another value compiles nothing; one tensor a group and name. */
  readonly scalar: (name: string, value: number) => Tensor;
}

/** What the rule makes of it. */
export interface Updated {
  /** The value after the step. */
  readonly parameter: Tensor;
  /** State tensors for the next step, by name. */
  readonly state: Readonly<Record<string, Tensor>>;
}

/** What one step does to one parameter. */
interface Plan {
  /** The parameter that is set when the step has been computed. */
  readonly target: Parameter;
  /** How many steps it has taken, this one included. */
  readonly step: number;
  /** Its new value. */
  readonly value: Tensor;
  /** Its new state tensors. */
  readonly state: readonly (readonly [name: string, tensor: Tensor])[];
}

/**
 * Base of the optimisers: it computes the loss, the gradients, and the new parameters and states in
 * one program, and puts the new values in place when all of them are there.
 *
 * A rule of your own is a subclass with `checkOptions` and `update`.
 *
 * @example
 * ```ts
 * import { Optimizer, type OptimizerOptions, Parameter, tensor, type UpdateInput, type Updated } from "tsvene";
 * class SignDescent extends Optimizer<OptimizerOptions> {
 *   protected override readonly countsSteps = false;
 *   protected override checkOptions(): void {}
 *   protected override update({ parameter, gradient, options, scalar }: UpdateInput<OptimizerOptions>): Updated {
 *     return { parameter: parameter.sub(gradient.sign().mul(scalar("lr", options.lr))), state: {} };
 *   }
 * }
 * const w = new Parameter(tensor([1, -2]));
 * const optimizer = new SignDescent([w], { lr: 0.5 });
 * console.log(await optimizer.step(w.value.square().sum())); // 5
 * console.log(await w.value.toArray()); // [0.5, -1.5]
 * ```
 */
export abstract class Optimizer<O extends OptimizerOptions> {
  /** The parameters with their options. Options may be set between steps: `groups[0].lr = 0.1`. */
  readonly groups: readonly ParameterGroup<O>[];
  readonly #states = new Map<Parameter, ParameterState>();
  #busy = false;

  /**
   * @param parameters - Parameters, or groups `{ parameters, lr, ... }` with options of their own.
   * @param defaults - What holds where a group says nothing.
   * @throws TsveneError when there are none, when one comes twice, or when an option is out of range.
   */
  constructor(parameters: Parameters<O>, defaults: O) {
    this.groups = parameterGroups(this.constructor.name, parameters, defaults);
    for (const group of this.groups) this.#check(group);
  }

  /** Whether saved states count steps; false for rules that go on the same way at any step. */
  protected abstract readonly countsSteps: boolean;
  /** Throws when an option is out of range. */
  protected abstract checkOptions(options: Readonly<O>): void;
  /** The rule: what becomes of one parameter. Traced once a step for each parameter. */
  protected abstract update(input: UpdateInput<O>): Updated;

  #check(group: ParameterGroup<O>): void {
    const isRate = typeof group.lr === "number" && group.lr >= 0;
    checkOption(this.constructor.name, "lr", group.lr, isRate);
    this.checkOptions(group);
  }

  /**
   * One step down the gradient of a loss: computes the loss and updates the parameters. If that
   * fails, no parameter has changed. Parameters that are frozen, or that the loss does not depend
   * on, stay as they are, and so do their states.
   *
   * @param loss - One floating-point number, not evaluated yet.
   * @returns The loss, before the step.
   * @throws TsveneError when the loss depends on none of the parameters, when it was evaluated
   * before, or when the step before is still under way.
   *
   * @example
   * ```ts
   * import { Adam, Parameter, tensor } from "tsvene";
   * const w = new Parameter(tensor([1, 2]));
   * const optimizer = new Adam([w], { lr: 0.1 });
   * for (let i = 0; i < 3; i++) {
   *   console.log(await optimizer.step(w.value.square().sum(), { maxGradNorm: 1 }));
   * }
   * ```
   */
  async step(loss: Tensor, options: StepOptions = {}): Promise<number> {
    if (!(loss instanceof Tensor)) {
      fail(this.constructor.name, `step takes the loss, a Tensor, got ${describeValue(loss)}`);
    }
    await this.#apply(this.gradients(loss), options, [loss]);
    return loss.item();
  }

  /**
   * One step with gradients that you made, such as the sum over several batches.
   * @param gradients - By parameter; or a list in the order of the parameters in the groups.
   * Parameters without one stay as they are.
   *
   * @example
   * ```ts
   * import { evaluate, Parameter, SGD, tensor } from "tsvene";
   * const w = new Parameter(tensor([1, 2]));
   * const optimizer = new SGD([w], { lr: 0.1 });
   * const total = new Map();
   * for (const batch of [tensor([1, 0]), tensor([0, 1])]) {
   *   for (const [p, g] of optimizer.gradients(w.value.mul(batch).sum())) {
   *     total.set(p, total.get(p)?.add(g) ?? g);
   *   }
   *   await evaluate(...total.values()); // frees what the batch needed
   * }
   * await optimizer.stepWith(total);
   * ```
   */
  async stepWith(
    gradients: ReadonlyMap<Parameter, Tensor> | readonly Tensor[],
    options: StepOptions = {},
  ): Promise<void> {
    await this.#apply(this.#byParameter(gradients), options, []);
  }

  /**
   * Gradients of a loss, lazy, for each parameter that it depends on and that is not frozen.
   * @throws TsveneError when there is none.
   */
  gradients(loss: Tensor): Map<Parameter, Tensor> {
    const name = this.constructor.name;
    if (loss.values !== undefined) {
      fail(
        name,
        "the loss was evaluated before, which dropped its graph; take the step first, which returns it",
      );
    }
    const trained = this.#parameters().filter((p) => p.requiresGrad);
    const used = upstream([loss], gradientOperands);
    const parameters = trained.filter((p) => used.has(p.value));
    if (parameters.length === 0) {
      fail(
        name,
        `the loss depends on none of the ${trained.length} parameters that have requiresGrad; ` +
          `was it traced before the last step, or is there a detach() on the way?`,
      );
    }
    const gradients = grad(
      loss,
      parameters.map((p) => p.value),
    );
    return new Map(
      parameters.map((p, i) => [p, gradients[i] ?? internal("a gradient is missing")]),
    );
  }

  /**
   * The states and options in PyTorch's layout, with its names. It holds what there is now: later
   * steps do not change it.
   */
  stateDict(): OptimizerStateDict {
    const parameters = this.#parameters();
    const state: Record<string, Record<string, Tensor | number>> = {};
    parameters.forEach((p, i) => {
      const own = this.#states.get(p);
      if (own !== undefined) state[i] = stateToDict(own, p.shape, this.countsSteps);
    });
    return { state, param_groups: this.groups.map((g) => groupToDict(g, parameters)) };
  }

  /**
   * Goes on from saved states and options; parameters correspond by their order.
   * @throws TsveneError when groups, numbers of parameters or shapes differ; then nothing is changed.
   */
  loadStateDict(saved: OptimizerStateDict): void {
    const name = `${this.constructor.name}.loadStateDict`;
    if (saved.param_groups.length !== this.groups.length) {
      fail(name, `expected ${this.groups.length} groups, got ${saved.param_groups.length}`);
    }
    const parameters = this.#parameters();
    const options = this.groups.map((group, i) =>
      groupFromDict(`${name}: group ${i}`, saved.param_groups[i] ?? {}, group, parameters),
    );
    for (const group of options) this.#check(group);
    const states = Object.entries(saved.state).map(([i, own]) => {
      const p = parameters[Number(i)] ?? fail(name, `there is no parameter ${i}`);
      return [p, stateFromDict(`${name}: state ${i}`, own, p, this.countsSteps)] as const;
    });
    this.groups.forEach((group, i) => Object.assign(group, options[i]));
    this.#states.clear();
    for (const [p, own] of states) this.#states.set(p, own);
  }

  #parameters(): Parameter[] {
    return this.groups.flatMap((g) => g.parameters);
  }

  #byParameter(
    gradients: ReadonlyMap<Parameter, Tensor> | readonly Tensor[],
  ): ReadonlyMap<Parameter, Tensor> {
    const name = `${this.constructor.name}.stepWith`;
    const parameters = this.#parameters();
    if (gradients instanceof Map) {
      const known = new Set(parameters);
      for (const p of (gradients as ReadonlyMap<Parameter, Tensor>).keys()) {
        if (known.has(p)) continue;
        fail(name, `there is a gradient for ${labelOf(p)}, which is in no group`);
      }
      return gradients as ReadonlyMap<Parameter, Tensor>;
    }
    const list = gradients as readonly Tensor[];
    if (list.length !== parameters.length) {
      fail(
        name,
        `expected ${parameters.length} gradients, got ${list.length}; a Map may leave some out`,
      );
    }
    return new Map(parameters.map((p, i) => [p, list[i] as Tensor]));
  }

  async #apply(
    gradients: ReadonlyMap<Parameter, Tensor>,
    { maxGradNorm, also = [], accept }: StepOptions,
    extra: readonly Tensor[],
  ): Promise<void> {
    if (this.#busy) fail(this.constructor.name, "the step before is not finished; await it first");
    const plans = this.#plan(maxGradNorm === undefined ? gradients : clip(gradients, maxGradNorm));
    this.#busy = true;
    try {
      const results = plans.flatMap((p) => [p.value, ...p.state.map(([, tensor]) => tensor)]);
      const asked = [...extra, ...also, ...results];
      if (this.#states.size === 0) await evaluate(...initialValues(asked));
      await evaluate(...asked);
      accept?.(results);
    } finally {
      this.#busy = false;
    }
    for (const { target, step, value, state } of plans) {
      target.set(value);
      const tensors = state.map(([name, tensor]) => [name, settled(tensor)] as const);
      this.#states.set(target, { step, tensors: new Map(tensors) });
    }
  }

  #plan(gradients: ReadonlyMap<Parameter, Tensor>): Plan[] {
    const plans: Plan[] = [];
    for (const group of this.groups) {
      this.#check(group);
      const scalars = new Map<string, Tensor>();
      for (const target of group.parameters) {
        const gradient = gradients.get(target);
        if (gradient !== undefined) plans.push(this.#planOne(group, target, gradient, scalars));
      }
    }
    return plans;
  }

  #planOne(options: O, target: Parameter, gradient: Tensor, scalars: Map<string, Tensor>): Plan {
    const { shape, dtype } = target;
    if (!sameShape(gradient.shape, shape) || gradient.dtype !== dtype) {
      const got = `${gradient.dtype} ${show(gradient.shape)}`;
      fail(
        this.constructor.name,
        `the gradient for ${labelOf(target)}, ${dtype} ${show(shape)}, is ${got}`,
      );
    }
    const before = this.#states.get(target);
    const step = (before?.step ?? 0) + 1;
    const work = workShape(shape);
    const scalar = (name: string, value: number): Tensor => {
      const key = `${name} ${step} ${dtype}`;
      // Of one dimension, because a program merges 0-d numbers that are equal by accident.
      const made = scalars.get(key) ?? leaf(encodeNumbers([value], dtype), [1], dtype);
      scalars.set(key, made);
      return made;
    };
    const state = (name: string): Tensor =>
      before?.tensors.get(name) ?? leaf(allocate(dtype, target.numel), work, dtype);
    const updated = this.update({
      parameter: target.value.reshape(work),
      gradient: gradient.reshape(work),
      options,
      step,
      state,
      scalar,
    });
    const value = updated.parameter.reshape(shape);
    return { target, step, value, state: Object.entries(updated.state) };
  }
}

/**
 * What modules are to hold of what tensors are computed from, such as weights that were never read:
 * computed by themselves, so that the first step is the same program as all others.
 */
function initialValues(tensors: readonly Tensor[]): Tensor[] {
  return pending(tensors).filter(({ origin }) => origin?.keep === true);
}

/** A computed tensor as a leaf that depends on nothing. */
function settled(tensor: Tensor): Tensor {
  return leaf(tensor.values ?? internal("a state was not computed"), tensor.shape, tensor.dtype);
}

function clip(
  gradients: ReadonlyMap<Parameter, Tensor>,
  maxNorm: number,
): ReadonlyMap<Parameter, Tensor> {
  const clipped = clipGradNorm([...gradients.values()], maxNorm).gradients;
  return new Map([...gradients.keys()].map((p, i) => [p, clipped[i] as Tensor]));
}

function labelOf(parameter: Parameter): string {
  return parameter.name ?? `a parameter of shape ${show(parameter.shape)}`;
}

/** Throws unless an option holds. */
export function checkOption(
  optimizer: string,
  option: string,
  value: unknown,
  holds: boolean,
): void {
  if (!holds) fail(optimizer, `${option} is out of range: ${String(value)}`);
}
