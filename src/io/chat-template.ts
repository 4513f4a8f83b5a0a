import { renderTemplate } from "./jinja/render-template.ts";
import type { TokenRole } from "./tokenizer-config.ts";
import { isObject } from "./tokenizer-config.ts";
import { TokenizerError } from "./tokenizer-error.ts";

/** One turn of a conversation; templates may ask for further fields. */
export interface ChatMessage {
  /** Who speaks, such as `"system"`, `"user"` or `"assistant"`. */
  readonly role: string;
  readonly content: string | readonly unknown[] | null;
  readonly [field: string]: unknown;
}

export interface ChatTemplateOptions {
  /**
   * End with what comes before an answer of the assistant.
   * @default false
   */
  readonly addGenerationPrompt?: boolean;
  /** A template in Jinja, or the name of one of several. @default the tokenizer's own */
  readonly chatTemplate?: string;
  /** Functions that the model may call, as JSON schemas. */
  readonly tools?: readonly unknown[];
  /** Further variables of the template, such as `{ enable_thinking: false }`. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** Templates by name; a single one is named "default". */
function templatesOf(given: unknown): ReadonlyMap<string, string> {
  if (typeof given === "string") return new Map([["default", given]]);
  const list: readonly unknown[] = Array.isArray(given) ? given : [];
  const templates = new Map<string, string>();
  for (const item of list) {
    const { name, template } = isObject(item) ? item : {};
    if (typeof name === "string" && typeof template === "string") templates.set(name, template);
  }
  return templates;
}

function chooseTemplate(given: unknown, { chatTemplate, tools }: ChatTemplateOptions): string {
  const templates = templatesOf(given);
  const own = tools === undefined ? undefined : templates.get("tool_use");
  const chosen =
    chatTemplate === undefined
      ? (own ?? templates.get("default"))
      : (templates.get(chatTemplate) ?? chatTemplate);
  if (chosen !== undefined) return chosen;
  const names = [...templates.keys()].join(", ");
  throw new TokenizerError(
    "applyChatTemplate: this tokenizer has no " +
      (names === "" ? "chat template" : `default chat template, but ${names}`) +
      "; pass one in Jinja, or a name, as { chatTemplate }",
  );
}

function checkMessages(messages: readonly ChatMessage[]): void {
  const isChat =
    Array.isArray(messages) &&
    messages.length > 0 &&
    messages.every((message) => isObject(message) && typeof message["role"] === "string");
  if (isChat) return;
  throw new TokenizerError(
    `applyChatTemplate: messages are ${JSON.stringify(messages)?.slice(0, 100)}; a list of ` +
      'messages such as { role: "user", content: "Hello" } was expected',
  );
}

/** The text of a conversation as a model's template writes it. */
export function renderChat(
  given: unknown,
  messages: readonly ChatMessage[],
  options: ChatTemplateOptions & {
    readonly specialTokens: Readonly<Partial<Record<TokenRole, string>>>;
  },
): string {
  checkMessages(messages);
  const template = chooseTemplate(given, options);
  const tokens = Object.entries(options.specialTokens).map(([role, text]) => [
    `${role}_token`,
    text,
  ]);
  try {
    return renderTemplate(template, {
      ...Object.fromEntries(tokens),
      ...options.variables,
      tools: options.tools ?? null,
      documents: null,
      messages,
      add_generation_prompt: options.addGenerationPrompt ?? false,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TokenizerError(`applyChatTemplate: the template says: ${reason}`, { cause: error });
  }
}
