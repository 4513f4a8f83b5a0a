export {
  type TokenDecoder,
  type TokenProbability,
  topTokens,
  type TopTokensOptions,
} from "./top-tokens.ts";
export { terminalTopTokens, type TerminalTopTokensOptions } from "./terminal-top-tokens.ts";
