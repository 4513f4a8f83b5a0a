// Reading activations: probes with controls, and directions.
export type { ClassLabel } from "./classes.ts";
export { probeScore, type ProbeScore, type ProbeScoreOptions } from "./cross-validate.ts";
export {
  contrastDirection,
  kMeansDirection,
  type KMeansDirectionOptions,
  ldaDirection,
  type LDADirectionOptions,
  meanDifference,
  pcaDirection,
  type PCADirectionOptions,
} from "./directions.ts";
export { LinearProbe, LogisticProbe, RidgeProbe } from "./linear-probe.ts";
export { logisticProbe, type LogisticProbeOptions } from "./logistic-probe.ts";
export { ridgeProbe, type RidgeProbeOptions } from "./ridge-probe.ts";
