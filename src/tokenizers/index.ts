// Turns text into ids and back, as Hugging Face's tokenizers do.
export { AutoTokenizer } from "./auto-tokenizer.ts";
export type { BatchEncoding } from "./batch-encoding.ts";
export type { ChatMessage, ChatTemplateOptions } from "./chat-template.ts";
export { Conversation, type ConversationPrompt, type TextMessage } from "./conversation.ts";
export { findPositions, type FindPositionsOptions, type PositionFinder } from "./find-positions.ts";
export type { Side } from "./tokenizer-config.ts";
export { TokenizerError } from "./pipeline/tokenizer-error.ts";
export { PreTrainedTokenizer } from "./tokenizer.ts";
export type {
  DecodeOptions,
  EncodeOptions,
  TokenIds,
  TokenizeOptions,
  TokenizerOptions,
} from "./tokenizer-options.ts";
