import { createInterface, type Interface } from "node:readline";
import type { Command } from "commander";
import type { Conversation } from "../tokenizers/conversation.ts";
import { internal, TsveneError } from "../base/errors.ts";
import { didYouMean } from "../base/nearest.ts";
import { streamText } from "../models/generation/stream-text.ts";
import { type CommandHost, makeCommand, onRun } from "./command.ts";
import { errorLine, type Io, type Report } from "./io.ts";
import { type LoadedModel, loadModel } from "./load-model.ts";
import { type ModelOptions, withModelOptions } from "./options.ts";
import { writeTexts } from "./write-texts.ts";
import { generateOptions, type WritingOptions, withWritingOptions } from "./writing-options.ts";

interface Options extends ModelOptions, WritingOptions {
  readonly system?: string;
}

/** `tsvene chat`: a conversation. */
export function chatCommand(host: CommandHost): Command {
  const command = makeCommand({
    name: "chat",
    summary: "Talk with a model",
    details:
      "Reads one message a line; /help says which commands there are. Messages are written by the model's chat " +
      "template where it has one; other models go on with the texts so far.",
    examples: [
      ["chat", "The model that comes with the package, which goes on with texts"],
      ["chat --model Qwen/Qwen2-0.5B-Instruct --system 'Be brief.'", "A model of the Hub"],
      ["chat --json < messages.txt", "Messages from a file, answers as JSON"],
    ],
  }).option("--system <text>", "what the model is told before all messages");
  return onRun(withWritingOptions(withModelOptions(command)), host, chat);
}

/** One of those who answer: the model, or the model with an intervention. */
export interface Speaker {
  readonly title: string;
  readonly stream: LoadedModel["model"]["stream"];
}

/** A message and what was answered. */
interface Turn {
  readonly message: string;
  readonly answers: readonly { readonly title: string; readonly text: string }[];
}

async function chat(io: Io, options: Options): Promise<Report> {
  const loaded = await loadModel(io, options);
  const { model } = loaded;
  const speakers = [{ title: "as it is", stream: model.stream.bind(model) }];
  const { Conversation } = await import("../tokenizers/conversation.ts");
  const { system } = options;
  const told = system === undefined ? [] : [{ role: "system" as const, content: system }];
  const start = new Conversation(loaded.tokenizer, told);
  const session = new ChatSession(io, loaded, { speakers, start, options });
  await session.run();
  return { json: { model: options.model, turns: session.turns }, failed: session.failed };
}

const HELP = [
  ["/reset", "forget what was said"],
  ["/help", "this list"],
  ["/quit", "end; so does Ctrl-D"],
] as const;

/** What a session begins with. */
interface SessionStart {
  readonly speakers: readonly Speaker[];
  readonly start: Conversation;
  readonly options: Options;
}

/** A conversation that goes on until its reader has no more lines. */
class ChatSession {
  readonly turns: Turn[] = [];
  /** Whether a line of a pipe could not be answered. */
  failed = false;
  readonly #io: Io;
  readonly #loaded: LoadedModel;
  readonly #session: SessionStart;
  readonly #lines: Interface;
  readonly #isTerminal: boolean;
  #conversations: readonly Conversation[];
  #reply: AbortController | undefined;

  constructor(io: Io, loaded: LoadedModel, session: SessionStart) {
    this.#io = io;
    this.#loaded = loaded;
    this.#session = session;
    this.#conversations = session.speakers.map(() => session.start);
    this.#isTerminal = process.stdin.isTTY && io.height !== undefined && !io.json;
    const output = this.#isTerminal ? { output: process.stdout, terminal: true } : {};
    this.#lines = createInterface({ input: process.stdin, ...output, prompt: "> " });
  }

  async run(): Promise<void> {
    const lines = this.#lines;
    // Ctrl-C stops an answer that is being written, and ends the conversation otherwise.
    lines.on("SIGINT", () => (this.#reply === undefined ? lines.close() : this.#reply.abort()));
    const interrupt = (): void => lines.close();
    this.#io.signal.addEventListener("abort", interrupt, { once: true });
    if (this.#isTerminal) this.#io.note("One message a line; /help says more.");
    this.#ask();
    for await (const line of lines) {
      await this.#take(line.trim());
      this.#io.signal.throwIfAborted();
      if (line.trim() === "/quit") break;
      this.#ask();
    }
    lines.close();
  }

  #ask(): void {
    if (this.#isTerminal) this.#lines.prompt();
  }

  async #take(line: string): Promise<void> {
    if (line === "") return;
    try {
      if (line.startsWith("/")) this.#obey(line);
      else await this.#answer(line);
    } catch (error) {
      if (this.#io.signal.aborted) throw error;
      if (this.#reply?.signal.aborted === true) this.#io.note("(stopped)");
      else this.#refuse(error);
    } finally {
      this.#reply = undefined;
    }
  }

  #refuse(error: unknown): void {
    if (!(error instanceof TsveneError)) throw error;
    this.failed = !this.#isTerminal;
    this.#io.note(errorLine(error.message));
  }

  #obey(line: string): void {
    const [command = ""] = line.split(/\s+/);
    if (command === "/quit") return;
    if (command === "/help") {
      for (const [name, purpose] of HELP) this.#io.note(`${name.padEnd(10)} ${purpose}`);
      return;
    }
    if (command !== "/reset") {
      throw new TsveneError(
        `there is no command ${command}; ${didYouMean(
          command,
          HELP.map(([name]) => name),
        )}`,
      );
    }
    this.#conversations = this.#session.speakers.map(() => this.#session.start);
    this.#io.note("(forgotten)");
  }

  async #answer(message: string): Promise<void> {
    const { model, tokenizer } = this.#loaded;
    const { options, speakers } = this.#session;
    this.#reply = new AbortController();
    const signal = AbortSignal.any([this.#reply.signal, this.#io.signal]);
    const asked = this.#conversations.map((each) => each.with("user", message));
    const writings = speakers.map(({ title, stream }, i) => {
      const room =
        model.maxLength === undefined
          ? Infinity
          : model.maxLength - (options.maxNewTokens ?? Math.min(60, model.maxLength >> 1));
      const { inputs, ids, dropped } = asked[i]?.prompt(room) ?? internal("no conversation");
      if (dropped > 0 && i === 0) this.#io.note(`(the first ${dropped} messages are left out)`);
      const settings = { ...generateOptions(options, model, ids.length), signal };
      return { title, texts: streamText(tokenizer, ids, stream(inputs, settings)) };
    });
    const written = await writeTexts(this.#io, writings);
    this.#conversations = asked.map((each, i) => each.with("assistant", written[i]?.text ?? ""));
    const answers = speakers.map(({ title }, i) => ({ title, text: written[i]?.text ?? "" }));
    this.turns.push({ message, answers });
  }
}
