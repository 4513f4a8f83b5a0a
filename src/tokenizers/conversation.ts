import type { BatchEncoding } from "./batch-encoding.ts";
import type { ChatMessage } from "./chat-template.ts";
import { TokenizerError } from "./pipeline/tokenizer-error.ts";
import type { PreTrainedTokenizer } from "./tokenizer.ts";

/** A conversation as a model is to go on with it. */
export interface ConversationPrompt {
  /** [1, sequence] int64 each. */
  readonly inputs: BatchEncoding;
  /** Its ids. */
  readonly ids: readonly number[];
  /** How many of the oldest messages were left out. */
  readonly dropped: number;
}

/** A message with a text. */
export interface TextMessage extends ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/**
 * What was said so far, and the prompt that the next answer is written from: by the tokenizer's chat
 * template where it has one, and else the texts one after the other, a user's on a line of its own, as
 * models that only go on with texts are spoken to. It cannot be changed after it is made.
 *
 * @example
 * ```ts
 * import { AutoTokenizer, Conversation } from "tsvene";
 * const nothing = new Conversation(await AutoTokenizer.fromPretrained("tsvene-mini"));
 * const asked = nothing.with("user", "The capital of Spain is");
 * console.log(asked.prompt().ids.length); // 5
 * ```
 */
export class Conversation {
  /** All messages, the oldest first. */
  readonly messages: readonly TextMessage[];
  readonly #tokenizer: PreTrainedTokenizer;

  /** @param messages - What was said before. @default nothing */
  constructor(tokenizer: PreTrainedTokenizer, messages: readonly TextMessage[] = []) {
    this.#tokenizer = tokenizer;
    this.messages = messages;
  }

  /** The conversation with one more message; this one stays as it is. */
  with(role: TextMessage["role"], content: string): Conversation {
    return new Conversation(this.#tokenizer, [...this.messages, { role, content }]);
  }

  /**
   * What the model is to go on with.
   *
   * @param mostTokens - The oldest messages are left out until there are no more tokens than this; what
   * the system says and the last message stay. @default any number
   * @throws TokenizerError where the last message alone is longer.
   */
  prompt(mostTokens: number = Infinity): ConversationPrompt {
    const system = this.messages.filter(({ role }) => role === "system");
    const others = this.messages.filter(({ role }) => role !== "system");
    for (let dropped = 0; ; dropped++) {
      const rest = others.slice(dropped);
      // Templates want conversations that begin with a user.
      if (rest[0]?.role === "assistant" && rest.length > 1) continue;
      const inputs = this.#encode([...system, ...rest]);
      const ids = Array.from(inputs.inputIds.values ?? [], Number);
      if (ids.length <= mostTokens) return { inputs, ids, dropped };
      if (rest.length > 1) continue;
      throw new TokenizerError(
        `Conversation.prompt: the last message takes ${ids.length} tokens, and there is room for ` +
          `${mostTokens}; write less`,
      );
    }
  }

  #encode(messages: readonly TextMessage[]): BatchEncoding {
    if (this.#tokenizer.hasChatTemplate) {
      return this.#tokenizer.applyChatTemplate(messages, { addGenerationPrompt: true });
    }
    const text = messages.map(({ role, content }, i) =>
      role === "assistant" || i === 0 ? content : `\n${content}`,
    );
    return this.#tokenizer.tokenize(text.join(""));
  }
}
