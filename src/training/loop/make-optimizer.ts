import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { didYouMean } from "../../base/nearest.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { AdamW } from "../../optim/adam-w.ts";
import { Adam } from "../../optim/adam.ts";
import { SGD } from "../../optim/sgd.ts";
import type {
  AnyOptimizer,
  LearningRates,
  NamedOptimizer,
  OptimizerName,
  OptimizerTable,
} from "./train-options.ts";
import type { TrainedParameter } from "./trained-parameters.ts";

/** Parameters that share a learning rate. */
interface RatedGroup {
  readonly parameters: readonly Parameter[];
  readonly lr: number;
  /** 0 for what does not decay; else as the optimiser has it. */
  readonly weightDecay?: number;
}

const OPTIMIZERS: {
  readonly [K in OptimizerName]: (
    groups: readonly RatedGroup[],
    options: Partial<OptimizerTable[K]>,
  ) => AnyOptimizer;
} = {
  adam: (groups, options) => new Adam(groups, options),
  adamw: (groups, options) => new AdamW(groups, options),
  sgd: (groups, options) => new SGD(groups, options),
};

const DEFAULT_RATE = 1e-3;

/** What is said about an optimiser. */
export interface OptimizerChoice {
  readonly optimizer?: OptimizerName | NamedOptimizer | AnyOptimizer | undefined;
  readonly lr?: LearningRates | undefined;
}

/**
 * The optimiser of a training.
 * @throws TsveneError for a name that is none, options that it does not have, and learning rates for
 * groups that are not there.
 */
export function makeOptimizer(
  op: string,
  trained: readonly TrainedParameter[],
  { optimizer = "adam", lr }: OptimizerChoice,
): AnyOptimizer {
  if (isOptimizer(optimizer)) return checkOwn(op, optimizer, trained, lr);
  const { name, ...options } =
    typeof optimizer === "string" ? { name: optimizer } : named(op, optimizer);
  if (!Object.hasOwn(OPTIMIZERS, name)) {
    fail(op, `there is no optimizer ${shown(name)}; ${didYouMean(name, Object.keys(OPTIMIZERS))}`);
  }
  if ("lr" in options) fail(op, "give the learning rate as lr beside the optimizer, not in it");
  const isDecaySaid = "weightDecay" in options;
  return OPTIMIZERS[name](ratedGroups(op, trained, lr ?? DEFAULT_RATE, isDecaySaid), options);
}

function named(op: string, optimizer: NamedOptimizer): NamedOptimizer {
  if (typeof optimizer === "object" && optimizer !== null && "name" in optimizer) return optimizer;
  return fail(
    op,
    `optimizer must be a name, { name, ...options } or an Optimizer, got ${describeValue(optimizer)}`,
  );
}

function isOptimizer(optimizer: unknown): optimizer is AnyOptimizer {
  const { groups, stepWith } = (optimizer ?? {}) as Partial<AnyOptimizer>;
  return groups !== undefined && typeof stepWith === "function";
}

/** An optimiser of the caller's own must have what is to be trained, and has its own learning rates. */
function checkOwn(
  op: string,
  optimizer: AnyOptimizer,
  trained: readonly TrainedParameter[],
  lr: LearningRates | undefined,
): AnyOptimizer {
  if (lr !== undefined) fail(op, "lr is given beside an optimizer that has its own; leave it out");
  const own = new Set(optimizer.groups.flatMap(({ parameters }) => parameters));
  const missing = trained.filter(({ parameter }) => !own.has(parameter));
  if (missing.length === 0 && own.size === trained.length) return optimizer;
  const names = missing.map(({ name }) => name).join(", ");
  return fail(
    op,
    `the optimizer has ${own.size} parameters, and ${trained.length} are to be trained` +
      (names === "" ? "" : `; it lacks ${names}`),
  );
}

/** One group for each learning rate, in the order in which they come; all of them decay if that was said. */
function ratedGroups(
  op: string,
  trained: readonly TrainedParameter[],
  rates: LearningRates,
  isDecaySaid: boolean,
): readonly RatedGroup[] {
  if (typeof rates === "object") checkGroups(op, trained, rates);
  const groups = new Map<string, RatedGroup & { readonly parameters: Parameter[] }>();
  for (const one of trained) {
    const lr = rateOf(op, one, rates);
    const isKept = one.decays === false && !isDecaySaid;
    const key = `${one.group} ${lr} ${isKept}`;
    const group = groups.get(key) ?? { parameters: [], lr, ...(isKept && { weightDecay: 0 }) };
    groups.set(key, group);
    group.parameters.push(one.parameter);
  }
  return [...groups.values()];
}

function rateOf(
  op: string,
  { name, group, parameter }: TrainedParameter,
  rates: LearningRates,
): number {
  if (typeof rates === "number") return checkRate(op, "lr", rates);
  if (typeof rates === "function") return checkRate(op, `lr of ${name}`, rates(name, parameter));
  return checkRate(op, `lr of ${group}`, rates[group] ?? rates["others"]);
}

function checkRate(op: string, what: string, rate: unknown): number {
  if (typeof rate === "number" && rate >= 0 && rate < Infinity) return rate;
  return fail(op, `${what} must be a number of 0 or more, got ${shown(rate)}`);
}

function checkGroups(
  op: string,
  trained: readonly TrainedParameter[],
  rates: Readonly<Record<string, number>>,
): void {
  const groups = [...new Set(trained.map(({ group }) => group))];
  if (groups.every((group) => group === "")) {
    fail(op, "lr by group needs parameters by group: parameters: { name: [...], ... }");
  }
  const unknown = Object.keys(rates).find((key) => key !== "others" && !groups.includes(key));
  if (unknown !== undefined) {
    fail(op, `lr: there are no parameters ${unknown}; there are ${groups.join(", ")}`);
  }
  const missing = groups.find((group) => !(group in rates) && !("others" in rates));
  if (missing === undefined) return;
  fail(op, `lr says nothing of ${missing}; give it, or "others" for all that is not named`);
}
