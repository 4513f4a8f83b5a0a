import { steeringVector } from "../analysis/steering/steering-vector.ts";
import { fail } from "../base/errors.ts";
import type { WritingModel } from "../intervenable/call/writer.ts";
import type { IntervenableModel } from "../intervenable/intervenable-model.ts";
import type { GenerateOptions, GenerateStep } from "../models/generation/options.ts";
import { streamText, type WrittenText } from "../models/generation/stream-text.ts";
import type { Module } from "../nn/module.ts";
import type { PreTrainedTokenizer } from "../tokenizers/tokenizer.ts";
import { callOptions, intervenableOf, requireEdits } from "./edited-texts.ts";
import { readTexts, type ReadTexts } from "./read-texts.ts";
import type { SteeredBy, TaskOptions, WritingTask, WrittenTexts } from "./tasks.ts";

type Steps = AsyncIterable<GenerateStep>;
type Settings = GenerateOptions & Pick<TaskOptions, "signal">;

/** Texts that are being written, by what they are. */
type Streams = { readonly [K in keyof WrittenTexts]: AsyncIterator<WrittenText> | undefined };

/** A model and its tokenizer, of a task. */
interface Writes {
  readonly op: string;
  readonly model: Module;
  readonly tokenizer: PreTrainedTokenizer;
}

/**
 * Goes on with a text as it is and with interventions, a token of each in turn.
 * @throws TsveneError for a model that does not write, and where nothing is to be written.
 */
export async function writeTexts(
  writes: Writes,
  { prompt, edits, steering, original = true, ...settings }: WritingTask,
  { onPart, signal }: TaskOptions<"generate">,
): Promise<WrittenTexts> {
  const { op, model, tokenizer } = writes;
  if (!("stream" in model)) fail(op, `${model.constructor.name} does not write`);
  if (edits !== undefined && steering !== undefined) fail(op, "give edits or steering, not both");
  const writer = model as Module as WritingModel;
  const read = readTexts(op, tokenizer, prompt);
  const how: Settings = { ...settings, ...(signal !== undefined && { signal }) };
  const plain = original ? writer.stream(read.inputs, how) : undefined;
  const edited = await editedStream(writes, { edits, steering }, read, how);
  if (plain === undefined && edited === undefined) fail(op, "nothing is to be written");
  const text = (steps: Steps | undefined): AsyncIterator<WrittenText> | undefined =>
    steps && streamText(tokenizer, tokenizer.encode(prompt), steps)[Symbol.asyncIterator]();
  return together({ original: text(plain), intervened: text(edited) }, onPart);
}

async function editedStream(
  { op, model, tokenizer }: Writes,
  { edits, steering }: { readonly [K in "edits" | "steering"]: WritingTask[K] | undefined },
  { inputs }: ReadTexts,
  how: Settings,
): Promise<Steps | undefined> {
  if (edits !== undefined) {
    requireEdits(op, edits, { steps: true });
    const edited = intervenableOf(model, edits) as IntervenableModel<WritingModel>;
    const options = callOptions(op, tokenizer, edits) as object;
    return edited.stream(inputs, { ...how, ...options });
  }
  if (steering === undefined) return undefined;
  const steered = await steeredModel({ op, model, tokenizer }, steering);
  return steered.stream(inputs, { ...how, steps: "all" });
}

async function steeredModel(
  { model, tokenizer }: Writes,
  { strength = 1, scale = "raw", ...options }: SteeredBy,
): Promise<IntervenableModel<WritingModel>> {
  const found = await steeringVector(model, { ...options, tokenizer });
  return found.intervention({ strength, scale }) as unknown as IntervenableModel<WritingModel>;
}

/** Takes one token after the other of each text, until all have ended. */
async function together(
  { original, intervened }: Streams,
  onPart: TaskOptions<"generate">["onPart"],
): Promise<WrittenTexts> {
  const texts: { -readonly [K in keyof WrittenTexts]: WrittenTexts[K] } = {
    original: original && { text: "", tokens: [] },
    intervened: intervened && { text: "", tokens: [] },
  };
  const open = Object.entries({ original, intervened }) as [keyof Streams, Streams["original"]][];
  const left = new Map(open.filter(([, stream]) => stream !== undefined));
  while (left.size > 0) {
    for (const [name, stream] of left) {
      const step = await stream?.next();
      if (step?.done === false) texts[name] = step.value;
      else left.delete(name);
    }
    if (left.size > 0) onPart?.({ ...texts });
  }
  return texts;
}
