import { stripEnd, stripStart } from "./jinja/characters.ts";
import { renderTemplate } from "./jinja/render-template.ts";
import { TemplateError } from "./jinja/template-error.ts";
import { type OptionNames, wrongOptions } from "../base/known-options.ts";
import { isObject } from "../formats/json-values.ts";
import { TokenizerError } from "./pipeline/tokenizer-error.ts";

/** One turn of a conversation; templates may ask for further fields. */
export interface ChatMessage {
  /** Who speaks, such as `"system"`, `"user"` or `"assistant"`. */
  readonly role: string;
  /** Its text; or parts, for templates that take images, or null beside calls of tools. */
  readonly content: string | readonly unknown[] | null;
  readonly [field: string]: unknown;
}

/** What a chat template is given beside the messages. */
export interface ChatTemplateOptions {
  /**
   * End with what comes before an answer of the assistant.
   * @default false
   */
  readonly addGenerationPrompt?: boolean;
  /**
   * End within the last message, so that its text is continued: nothing that the template writes
   * after it is there. Not together with `addGenerationPrompt`.
   * @default false
   */
  readonly continueFinalMessage?: boolean;
  /** A template in Jinja, or the name of one of several. @default the tokenizer's own */
  readonly chatTemplate?: string;
  /** Functions that the model may call, as JSON schemas. */
  readonly tools?: readonly unknown[];
  /** Documents that the model may quote, each an object such as `{ title, text }`. */
  readonly documents?: readonly unknown[];
  /** Further variables of the template, such as `{ enable_thinking: false }`. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** The time that a template writes with `strftime_now`. @default the time of the call */
  readonly now?: Date;
}

const OPTIONS: OptionNames<ChatTemplateOptions & { readonly tokenize?: boolean }> = {
  addGenerationPrompt: true,
  continueFinalMessage: true,
  chatTemplate: true,
  tools: true,
  documents: true,
  variables: true,
  now: true,
  tokenize: true,
};

/** Variables that have an option or an argument of their own. */
const RESERVED = ["messages", "tools", "documents", "add_generation_prompt"];

function fail(message: string, options?: ErrorOptions): never {
  throw new TokenizerError(`applyChatTemplate: ${message}`, options);
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
  const names = [...templates.keys()].join(", ");
  if (chatTemplate !== undefined) {
    const named = templates.get(chatTemplate);
    if (named === undefined && !/\{[{%#]/.test(chatTemplate)) {
      fail(
        `chatTemplate ${JSON.stringify(chatTemplate)} is no template in Jinja, and the tokenizer ` +
          `has ${names === "" ? "none by name" : `only ${names}`}`,
      );
    }
    return named ?? chatTemplate;
  }
  const own = tools === undefined ? undefined : templates.get("tool_use");
  const chosen = own ?? templates.get("default");
  if (chosen !== undefined) return chosen;
  return fail(
    "this tokenizer has no " +
      (names === "" ? "chat template" : `default chat template, but ${names}`) +
      "; pass one in Jinja, or a name, as { chatTemplate }",
  );
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return value === null ? "null" : `of type ${typeof value}`;
}

function checkMessages(messages: readonly ChatMessage[]): void {
  const isList = Array.isArray(messages) && messages.length > 0;
  const wrong = isList
    ? messages.findIndex((message) => !isObject(message) || typeof message["role"] !== "string")
    : 0;
  if (wrong === -1) return;
  const what = isList ? `messages[${wrong}] has no role` : `messages are ${describe(messages)}`;
  fail(`${what}; a list of messages such as { role: "user", content: "Hello" } was expected`);
}

function checkObjects(name: string, list: readonly unknown[] | undefined, wanted: string): void {
  if (list === undefined) return;
  if (!Array.isArray(list)) fail(`${name} are ${describe(list)}; a list was expected`);
  const wrong = list.findIndex((item) => !isObject(item));
  if (wrong !== -1) {
    fail(`${name}[${wrong}] is ${describe(list[wrong])}; ${wanted} was expected`);
  }
}

function checkOptions(options: ChatTemplateOptions): void {
  const wrong = wrongOptions(options, OPTIONS);
  if (wrong !== undefined) fail(wrong);
  checkObjects("tools", options.tools, "a JSON schema as an object");
  checkObjects("documents", options.documents, "an object such as { title, text }");
  const reserved = RESERVED.find((name) => Object.hasOwn(options.variables ?? {}, name));
  if (reserved !== undefined) fail(`variables may not have ${reserved}, which is given by itself`);
  if (options.continueFinalMessage === true && options.addGenerationPrompt === true) {
    fail(
      "continueFinalMessage and addGenerationPrompt exclude each other: the one goes on with the " +
        "last message, the other begins a new one",
    );
  }
}

function tokenText(value: unknown): string | undefined {
  const text = isObject(value) ? value["content"] : value;
  return typeof text === "string" ? text : undefined;
}

/** Special tokens by the names that templates know: `bos_token`, `image_token` and so on. */
function templateTokens(config: Readonly<Record<string, unknown>>): Record<string, string> {
  const extra = config["extra_special_tokens"];
  const named = Object.entries(config).filter(([name]) => name.endsWith("_token"));
  const tokens: Record<string, string> = {};
  for (const [name, value] of [...(isObject(extra) ? Object.entries(extra) : []), ...named]) {
    const text = tokenText(value);
    if (text !== undefined) tokens[name] = text;
  }
  return tokens;
}

/** A mark that no conversation has; a template that trims its last message takes the space. */
const MARK = "CONTINUE_FINAL_MESSAGE_TAG ";

/** The last message with a mark at its end, and its text. */
function withMark(message: ChatMessage): { marked: ChatMessage; text: string } {
  const { content } = message;
  if (typeof content === "string") {
    return { marked: { ...message, content: content + MARK }, text: content };
  }
  const blocks = content ?? [];
  const at = blocks.findLastIndex((block) => isObject(block) && typeof block["text"] === "string");
  const block = blocks[at];
  const text = isObject(block) ? block["text"] : undefined;
  if (!isObject(block) || typeof text !== "string") {
    return fail("continueFinalMessage: the last message has no text to go on with");
  }
  const marked = blocks.map((one, i) => (i === at ? { ...block, text: text + MARK } : one));
  return { marked: { ...message, content: marked }, text };
}

/** What was written up to the mark. */
function cutAtMark(written: string, text: string): string {
  const bare = MARK.trimEnd();
  const at = written.lastIndexOf(bare);
  if (at === -1 || !written.includes(stripEnd(stripStart(text)))) {
    fail(
      "continueFinalMessage: the template leaves the last message out or changes it, so that " +
        "there is no place in it to go on from",
    );
  }
  const before = written.slice(0, at);
  return written.startsWith(MARK, at) ? before : stripEnd(before);
}

function render(template: string, variables: Record<string, unknown>, now?: Date): string {
  try {
    return renderTemplate(template, variables, now === undefined ? {} : { now });
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return fail(`the template says: ${error.message}`, { cause: error });
  }
}

/**
 * The text of a conversation as a model's template writes it.
 * @param config - The parsed `tokenizer_config.json`, which has the templates and special tokens.
 */
export function renderChat(
  config: Readonly<Record<string, unknown>>,
  messages: readonly ChatMessage[],
  options: ChatTemplateOptions,
): string {
  checkMessages(messages);
  checkOptions(options);
  const template = chooseTemplate(config["chat_template"], options);
  const write = (chat: readonly ChatMessage[]): string =>
    render(
      template,
      {
        ...templateTokens(config),
        ...options.variables,
        messages: chat,
        tools: options.tools ?? null,
        documents: options.documents ?? null,
        add_generation_prompt: options.addGenerationPrompt ?? false,
      },
      options.now,
    );
  const last = messages.at(-1);
  if (options.continueFinalMessage !== true || last === undefined) return write(messages);
  const { marked, text } = withMark(last);
  return cutAtMark(write([...messages.slice(0, -1), marked]), text);
}
