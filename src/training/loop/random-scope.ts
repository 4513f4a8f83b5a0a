import { defaultGenerator, type Generator } from "../../tensor/random/random.ts";

/**
 * Does something at once, such as tracing a model with dropout, while what is drawn without a generator is
 * drawn from another one. The default generator then goes on as if nothing had been drawn.
 */
export function drawingFrom<T>(generator: Generator, work: () => T): T {
  const shared = defaultGenerator();
  const before = shared.stateDict();
  shared.loadStateDict(generator.stateDict());
  try {
    return work();
  } finally {
    shared.loadStateDict(before);
  }
}
