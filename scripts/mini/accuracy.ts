import { type GPT2LMHeadModel, type PreTrainedTokenizer, tensor } from "tsvene";
import { factPrompts, indirectObjectPrompts, storyBeginnings } from "./evaluation.ts";
import { countMoodWords, type Mood, moodNames } from "./moods.ts";
import type { Split } from "./splits.ts";

/** A prompt and what should come next; right if the first token of it does. */
export interface Question {
  readonly prompt: string;
  readonly answer: string;
}

/** How many questions were answered rightly. */
export interface Accuracy {
  readonly right: number;
  readonly total: number;
  /** As "98.7 %". */
  readonly percent: string;
  /** The questions that were not, with what came instead. */
  readonly wrong: readonly (Question & { readonly got: string })[];
}

const BATCH = 256;

/** Asks a model for the next token of each prompt, prompts of one length together. */
export async function accuracy(
  model: GPT2LMHeadModel,
  tokenizer: PreTrainedTokenizer,
  questions: readonly Question[],
): Promise<Accuracy> {
  const byLength = new Map<number, { ids: number[]; question: Question }[]>();
  for (const question of questions) {
    const ids = tokenizer.encode(question.prompt);
    byLength.set(ids.length, [...(byLength.get(ids.length) ?? []), { ids, question }]);
  }
  const wrong: (Question & { got: string })[] = [];
  for (const group of byLength.values()) {
    for (let at = 0; at < group.length; at += BATCH) {
      const rows = group.slice(at, at + BATCH);
      const inputIds = tensor(
        rows.map((row) => row.ids),
        { dtype: "int64" },
      );
      const { logits } = model.forward({ inputIds });
      const best = await logits.select(1, -1).argmax(-1).toArray(1);
      rows.forEach(({ question }, i) => {
        const got = best[i] ?? -1;
        if (got === tokenizer.encode(question.answer)[0]) return;
        wrong.push({ ...question, got: tokenizer.decode([got]) });
      });
    }
  }
  return summary(questions.length, wrong);
}

function summary(total: number, wrong: Accuracy["wrong"]): Accuracy {
  const right = total - wrong.length;
  return { right, total, percent: `${((100 * right) / total).toFixed(1)} %`, wrong };
}

export function evaluateFacts(
  model: GPT2LMHeadModel,
  tokenizer: PreTrainedTokenizer,
  split: Split,
): Promise<Accuracy> {
  return accuracy(model, tokenizer, factPrompts(split));
}

export function evaluateIndirectObjects(
  model: GPT2LMHeadModel,
  tokenizer: PreTrainedTokenizer,
  split: Split,
): Promise<Accuracy> {
  return accuracy(model, tokenizer, indirectObjectPrompts(split));
}

const STORY_TOKENS = 32;
const STORY_BATCH = 64;

/** Lets a model go on with stories; right if most mood words of what it writes are of their mood. */
export async function evaluateMoods(
  model: GPT2LMHeadModel,
  tokenizer: PreTrainedTokenizer,
  split: Split,
): Promise<Accuracy> {
  const stories = storyBeginnings(split);
  const wrong: (Question & { got: string })[] = [];
  for (let at = 0; at < stories.length; at += STORY_BATCH) {
    const rows = stories.slice(at, at + STORY_BATCH);
    const prompts = tokenizer.tokenize(
      rows.map(({ prompt }) => prompt),
      { padding: true },
    );
    const { sequences } = await model.generate(prompts, { maxNewTokens: STORY_TOKENS });
    const written = await sequences.slice(1, prompts.inputIds.size(1)).toArray(2);
    rows.forEach(({ prompt, mood }, i) => {
      const got = tokenizer.decode(written[i] ?? [], { skipSpecialTokens: true });
      if (prevailingMood(got) !== mood) wrong.push({ prompt, answer: mood, got });
    });
  }
  return summary(stories.length, wrong);
}

function prevailingMood(text: string): Mood | undefined {
  const counts = countMoodWords(text);
  const most = Math.max(...moodNames.map((mood) => counts[mood]));
  return most === 0 ? undefined : moodNames.find((mood) => counts[mood] === most);
}
