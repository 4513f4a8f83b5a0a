// Makes sense of outputs: which tokens a model thinks likely.
export {
  type TokenDecoder,
  type TokenProbability,
  topTokens,
  type TopTokensOptions,
} from "./top-tokens.ts";
export { terminalTopTokens, type TerminalTopTokensOptions } from "./terminal-top-tokens.ts";
