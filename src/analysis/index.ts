export * from "./plots/index.ts";
export {
  type TokenDecoder,
  type TokenProbability,
  topTokens,
  type TopTokensOptions,
} from "./top-tokens.ts";
