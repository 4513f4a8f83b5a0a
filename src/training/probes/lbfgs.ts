/** A function's value and gradient. */
export interface Evaluated {
  readonly value: number;
  readonly gradient: Float64Array;
}

/** Where a minimum is looked for, and how long. */
export interface MinimizeOptions {
  /** Steps at most. */
  readonly maxIterations: number;
  /** The largest element of the gradient at which it ends. */
  readonly tolerance: number;
}

const MEMORY = 10;
/** Share of the expected decrease that a step must bring (Armijo). */
const DECREASE = 1e-4;
const MOST_HALVINGS = 40;

interface Step {
  readonly moved: Float64Array;
  readonly turned: Float64Array;
  readonly rho: number;
}

/**
 * The minimum of a smooth convex function by L-BFGS with backtracking (Liu and Nocedal, 1989).
 * Deterministic.
 *
 * @returns where it is, and whether the gradient fell below the tolerance.
 */
export async function minimize(
  start: Float64Array,
  at: (x: Float64Array) => Promise<Evaluated>,
  { maxIterations, tolerance }: MinimizeOptions,
): Promise<{ readonly x: Float64Array; readonly converged: boolean; readonly iterations: number }> {
  let x = start;
  let now = await at(x);
  const steps: Step[] = [];
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    if (largest(now.gradient) <= tolerance) return { x, converged: true, iterations: iteration };
    const direction = downhill(now.gradient, steps);
    const next = await search(x, now, direction, at);
    if (next === undefined) return { x, converged: false, iterations: iteration };
    remember(steps, x, now.gradient, next);
    ({ x, now } = next);
  }
  return { x, converged: largest(now.gradient) <= tolerance, iterations: maxIterations };
}

/** Minus the gradient times the inverse curvature that the last steps tell of. */
function downhill(gradient: Float64Array, steps: readonly Step[]): Float64Array {
  const direction = gradient.map((g) => -g);
  const weights: number[] = [];
  for (const { moved, turned, rho } of [...steps].reverse()) {
    const weight = rho * dot(moved, direction);
    weights.push(weight);
    add(direction, turned, -weight);
  }
  const last = steps.at(-1);
  if (last !== undefined) {
    const scale = 1 / (last.rho * dot(last.turned, last.turned));
    direction.forEach((d, i) => (direction[i] = d * scale));
  }
  for (const { moved, turned, rho } of steps) {
    add(direction, moved, (weights.pop() ?? 0) - rho * dot(turned, direction));
  }
  return direction;
}

/** The first of the steps 1, ½, ¼, ... that goes down far enough; undefined where none does. */
async function search(
  x: Float64Array,
  { value, gradient }: Evaluated,
  direction: Float64Array,
  at: (x: Float64Array) => Promise<Evaluated>,
): Promise<{ readonly x: Float64Array; readonly now: Evaluated } | undefined> {
  const slope = dot(gradient, direction);
  for (let halvings = 0, size = 1; halvings < MOST_HALVINGS; halvings++, size /= 2) {
    const tried = x.slice();
    add(tried, direction, size);
    const now = await at(tried);
    if (now.value <= value + DECREASE * size * slope) return { x: tried, now };
  }
  return undefined;
}

function remember(
  steps: Step[],
  before: Float64Array,
  gradient: Float64Array,
  { x, now }: { readonly x: Float64Array; readonly now: Evaluated },
): void {
  const moved = x.map((value, i) => value - (before[i] ?? 0));
  const turned = now.gradient.map((value, i) => value - (gradient[i] ?? 0));
  const curvature = dot(moved, turned);
  if (curvature <= 1e-14 * dot(turned, turned)) return;
  steps.push({ moved, turned, rho: 1 / curvature });
  if (steps.length > MEMORY) steps.shift();
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

function add(to: Float64Array, what: Float64Array, times: number): void {
  for (let i = 0; i < to.length; i++) to[i] = (to[i] ?? 0) + times * (what[i] ?? 0);
}

function largest(x: Float64Array): number {
  return x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
