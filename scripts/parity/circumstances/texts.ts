import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AutoModelForCausalLM, AutoTokenizer, type ChatMessage, tensor } from "tsvene";
import type { CaseResult } from "../case-result.ts";
import { casesOf, type Recorded, rowsOf } from "./recorded.ts";
import { circumstance, exactly } from "./verdict.ts";

type Tokenizer = Awaited<ReturnType<typeof AutoTokenizer.fromPretrained>>;

/** A tokenizer for templates that are given, whose own matters little. */
const MINI = fileURLToPath(new URL("../../../models/tsvene-mini", import.meta.url));

/** The special tokens of the tokenizer that templates were recorded with. */
const RECORDED_TOKENS = { bos_token: "<s>", eos_token: "</s>" } as const;

/** Runs a check on every row of every case, with the tokenizer in the case's directory. */
function eachRow(
  directory: string,
  cases: readonly [name: string, settings: Recorded][],
  check: (tokenizer: Tokenizer, row: Recorded) => unknown,
): Promise<CaseResult>[] {
  return cases.flatMap(([name, { rows }]) => {
    const place = join(directory, name);
    if (!existsSync(place)) return [];
    const loading = AutoTokenizer.fromPretrained(place);
    return rowsOf(rows).map((row) => {
      const which = `${name}/${JSON.stringify(row["text"] ?? row["ids"])}`;
      return circumstance(which, async () => exactly(which, "row", check(await loading, row), row));
    });
  });
}

/** Whether added tokens are found in texts, and written back. */
export function addedTokens(directory: string, recorded: Recorded): Promise<CaseResult>[] {
  return eachRow(directory, casesOf(recorded), (tokenizer, { text, ids }) => ({
    text,
    ids: tokenizer.encode(text as string, { addSpecialTokens: false }),
    decoded: tokenizer.decode(ids as number[]),
    skipped: tokenizer.decode(ids as number[], { skipSpecialTokens: true }),
  }));
}

/** Whether spaces are cleaned up just where the original does it. */
export function cleanUp(directory: string, recorded: Recorded): Promise<CaseResult>[] {
  return eachRow(directory, casesOf(recorded), (tokenizer, { text, ids }) => ({
    text,
    ids,
    decoded: tokenizer.decode(ids as number[]),
    forced: tokenizer.decode(ids as number[], { cleanUpTokenizationSpaces: true }),
  }));
}

/** Whether ids between the tokenizer's size and the model's are decoded. */
export function pastVocabulary(directory: string, recorded: Recorded): Promise<CaseResult>[] {
  const { prompt, generated, rows } = recorded;
  const place = join(directory, "tok");
  const written = circumstance("generated", async () => {
    const model = await AutoModelForCausalLM.fromPretrained(place);
    const inputIds = tensor(prompt as number[][], { dtype: "int64" });
    const maxNewTokens = (generated as number[]).length - inputIds.size(1);
    const { sequences } = await model.generate({ inputIds }, { maxNewTokens });
    const tokens = Array.from(await sequences.data(), Number);
    return exactly("generated", "tokens", tokens, generated);
  });
  const decoded = eachRow(directory, [["tok", { rows }]], (tokenizer, { ids }) => ({
    ids,
    decoded: tokenizer.decode(ids as number[]),
    skipped: tokenizer.decode(ids as number[], { skipSpecialTokens: true }),
  }));
  return [written, ...decoded];
}

/** Whether templates render as Python renders them. */
export function templates(_directory: string, recorded: Recorded): Promise<CaseResult>[] {
  const loading = AutoTokenizer.fromPretrained(MINI);
  return rowsOf(recorded["cases"]).map(({ template, messages, text, error }) => {
    const chatTemplate = String(template);
    const name = JSON.stringify(chatTemplate);
    return circumstance(
      name,
      async () => {
        const chat = (messages ?? recorded["messages"]) as ChatMessage[];
        const options = {
          chatTemplate,
          tokenize: false,
          variables: RECORDED_TOKENS,
        } as const;
        return exactly(name, "text", (await loading).applyChatTemplate(chat, options), text);
      },
      { refused: error !== undefined },
    );
  });
}
