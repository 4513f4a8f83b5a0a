// Makes sense of outputs: which tokens a model thinks likely.
export { patchPlot, type PatchPlotTexts } from "./patch-plot.ts";
export { type PatchedStates, type PatchOptions, patchStates } from "./patch-states.ts";
export {
  type TokenDecoder,
  type TokenProbability,
  topTokens,
  type TopTokensOptions,
} from "./top-tokens.ts";
export { terminalTopTokens, type TerminalTopTokensOptions } from "./terminal-top-tokens.ts";
