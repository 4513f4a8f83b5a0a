import type { Module } from "../../nn/module.ts";

/** Does something at once, such as tracing, with modules in evaluation mode; then each is as it was. */
export function inEvaluation<T>(roots: readonly Module[], work: () => T): T {
  const modules = roots.flatMap((root) => [...root.namedModules()].map(([, module]) => module));
  const training = modules.filter((module) => module.training);
  for (const module of training) module.training = false;
  try {
    return work();
  } finally {
    for (const module of training) module.training = true;
  }
}
