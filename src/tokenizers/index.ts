export { AutoTokenizer } from "./auto-tokenizer.ts";
export type { BatchEncoding } from "./batch-encoding.ts";
export type { ChatMessage, ChatTemplateOptions } from "./chat-template.ts";
export { findPositions, type FindPositionsOptions, type PositionFinder } from "./find-positions.ts";
export type { Side } from "./tokenizer-config.ts";
export { TokenizerError } from "./pipeline/tokenizer-error.ts";
export {
  type DecodeOptions,
  type EncodeOptions,
  PreTrainedTokenizer,
  type TokenIds,
  type TokenizeOptions,
  type TokenizerOptions,
} from "./tokenizer.ts";
