import { createInterface, type Interface } from "node:readline";
import type { Command } from "commander";
import type { Conversation } from "../tokenizers/conversation.ts";
import { internal, TsveneError } from "../base/errors.ts";
import { didYouMean } from "../base/nearest.ts";
import { streamText } from "../models/generation/stream-text.ts";
import type { IntervenableModel } from "../intervenable/intervenable-model.ts";
import type {
  GenerateInputs,
  GenerateOptions,
  GenerateStep,
} from "../models/generation/options.ts";
import type { CausalLanguageModel } from "../models/model/causal-language-model.ts";
import {
  type EditOptions,
  type InterventionOptions,
  loadIntervention,
  withEditOptions,
  withInterventionOptions,
} from "./intervention-options.ts";
import { type CommandHost, makeCommand, onRun } from "./command.ts";
import { errorLine, type Io, type Report } from "./io.ts";
import { type LoadedModel, loadModelForText } from "./load-model.ts";
import { type ModelOptions, withModelOptions } from "./options.ts";
import { writeTexts } from "./write-texts.ts";
import { generateOptions, type WritingOptions, withWritingOptions } from "./writing-options.ts";

interface Options extends ModelOptions, WritingOptions, InterventionOptions, EditOptions {
  readonly system?: string;
}

/** `tsvene chat`: a conversation. */
export function chatCommand(host: CommandHost): Command {
  const command = makeCommand({
    name: "chat",
    summary: "Talk with a model, with and without interventions",
    details:
      "Reads one message a line; /help says which commands there are. Messages are written by the model's chat " +
      "template where it has one; other models go on with the texts so far. With --intervention there are two " +
      "conversations side by side, and /strength changes how far edits go.",
    examples: [
      ["chat", "The model that comes with the package, which goes on with texts"],
      ["chat --model Qwen/Qwen2-0.5B-Instruct --system 'Be brief.'", "A model of the Hub"],
      ["chat --intervention ./honest --strength 1.5", "With saved interventions beside it"],
      ["chat --json < messages.txt", "Messages from a file, answers as JSON"],
    ],
  }).option("--system <text>", "what the model is told before all messages");
  return onRun(
    withWritingOptions(withEditOptions(withInterventionOptions(withModelOptions(command)))),
    host,
    chat,
  );
}

/** One of those who answer: the model, or the model with interventions. */
export interface Speaker {
  /** What it is called, with edits of a strength. */
  readonly title: (strength: number) => string;
  readonly stream: (
    inputs: GenerateInputs,
    settings: GenerateOptions,
    strength: number,
  ) => AsyncGenerator<GenerateStep>;
}

/** A message and what was answered. */
interface Turn {
  readonly message: string;
  /** Of the edits. */
  readonly strength: number | undefined;
  readonly answers: readonly { readonly title: string; readonly text: string }[];
}

async function chat(io: Io, options: Options): Promise<Report> {
  const loaded = await loadModelForText(io, options);
  const { model } = loaded;
  const asItIs: Speaker = {
    title: () => "as it is",
    stream: (inputs, settings) => model.stream(inputs, settings),
  };
  const intervened = await loadIntervention(io, model, options);
  const others = intervened === undefined ? [] : [editing(intervened, loaded, options)];
  const speakers = [asItIs, ...others];
  const { Conversation } = await import("../tokenizers/conversation.ts");
  const { system } = options;
  const told = system === undefined ? [] : [{ role: "system" as const, content: system }];
  const start = new Conversation(loaded.tokenizer, told);
  const session = new ChatSession(io, loaded, { speakers, start, options });
  await session.run();
  return { json: { model: options.model, turns: session.turns }, failed: session.failed };
}

function editing(
  intervened: IntervenableModel<CausalLanguageModel>,
  { tokenizer }: LoadedModel,
  { source, steps }: Options,
): Speaker {
  const sources = source === undefined ? {} : { sources: tokenizer.tokenize(source) };
  return {
    title: (strength) => `intervened, strength ${strength}`,
    stream: (inputs, settings, strength) =>
      intervened.stream(inputs, { ...settings, ...sources, steps, strength }),
  };
}

const HELP = [
  ["/strength 2", "how far edits go: 2 is twice as far, 0 not at all"],
  ["/off, /on", "no edits; edits as before"],
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
  #strength: number;
  #isOff = false;
  #reply: AbortController | undefined;

  constructor(io: Io, loaded: LoadedModel, session: SessionStart) {
    this.#io = io;
    this.#loaded = loaded;
    this.#session = session;
    this.#conversations = session.speakers.map(() => session.start);
    this.#strength = session.options.strength ?? 1;
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
    const [command = "", value = ""] = line.split(/\s+/);
    if (command === "/quit") return;
    if (["/strength", "/off", "/on"].includes(command)) return this.#setStrength(command, value);
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

  #setStrength(command: string, value: string): void {
    if (this.#session.speakers.length === 1) {
      throw new TsveneError(`${command} needs interventions: begin with --intervention`);
    }
    const strength = Number(value);
    if (command === "/strength") {
      if (value === "" || !Number.isFinite(strength)) {
        throw new TsveneError(`/strength takes a number, such as /strength 2; got "${value}"`);
      }
      this.#strength = strength;
    }
    this.#isOff = command === "/off";
    this.#io.note(`(strength ${this.#isOff ? 0 : this.#strength})`);
  }

  async #answer(message: string): Promise<void> {
    const { model, tokenizer } = this.#loaded;
    const { options, speakers } = this.#session;
    this.#reply = new AbortController();
    const signal = AbortSignal.any([this.#reply.signal, this.#io.signal]);
    const strength = this.#isOff ? 0 : this.#strength;
    const asked = this.#conversations.map((each) => each.with("user", message));
    const writings = speakers.map(({ title, stream }, i) => {
      const room =
        model.maxLength === undefined
          ? Infinity
          : model.maxLength - (options.maxNewTokens ?? Math.min(60, model.maxLength >> 1));
      const { inputs, ids, dropped } = asked[i]?.prompt(room) ?? internal("no conversation");
      if (dropped > 0 && i === 0) this.#io.note(`(the first ${dropped} messages are left out)`);
      const settings = { ...generateOptions(options, model, ids.length), signal };
      const steps = stream(inputs, settings, strength);
      return { title: title(strength), texts: streamText(tokenizer, ids, steps) };
    });
    const written = await writeTexts(this.#io, writings);
    this.#conversations = asked.map((each, i) => each.with("assistant", written[i]?.text ?? ""));
    const answers = speakers.map(({ title }, i) => ({
      title: title(strength),
      text: written[i]?.text ?? "",
    }));
    const used = speakers.length > 1 ? strength : undefined;
    this.turns.push({ message, strength: used, answers });
  }
}
