import { type OptionNames, wrongOptions } from "../base/known-options.ts";
import { FileSourceError } from "../files/file-source-error.ts";
import { type FileSource, readTogether } from "../files/file-source.ts";
import { HUB_OPTIONS, type HubOptions } from "../files/hub-options.ts";
import { type FilesName, openFiles } from "../files/open-files.ts";
import { isObject } from "../formats/json-values.ts";
import { TokenizerError } from "./pipeline/tokenizer-error.ts";
import { withOlderFiles } from "./pipeline/older-files.ts";
import { PreTrainedTokenizer } from "./tokenizer.ts";
import type { TokenizerOptions } from "./tokenizer-options.ts";

async function readOptional(files: FileSource, path: string): Promise<Record<string, unknown>> {
  try {
    const json = await files.readJson(path);
    if (isObject(json)) return json;
  } catch (error) {
    if (error instanceof FileSourceError && error.code === "missing") return {};
    throw error;
  }
  throw new TokenizerError(`${files.location}: ${path}: a JSON object was expected`);
}

async function readOptionalText(files: FileSource, path: string): Promise<string | undefined> {
  try {
    return await files.readText(path);
  } catch (error) {
    if (error instanceof FileSourceError && error.code === "missing") return undefined;
    throw error;
  }
}

/** Templates that a model may have besides its default one, each in a file. */
const FURTHER_TEMPLATES = ["tool_use", "rag"];

/**
 * Newer models keep their chat templates in files of their own, which count more than those in
 * `tokenizer_config.json`.
 */
async function readTemplate(files: FileSource): Promise<Record<string, unknown>> {
  const template = await readOptionalText(files, "chat_template.jinja");
  if (template === undefined) return {};
  const templates = [{ name: "default", template }];
  for (const name of FURTHER_TEMPLATES) {
    const further = await readOptionalText(files, `additional_chat_templates/${name}.jinja`);
    if (further !== undefined) templates.push({ name, template: further });
  }
  return { chat_template: templates.length === 1 ? template : templates };
}

async function readTokenizer(files: FileSource): Promise<unknown> {
  try {
    return await files.readJson("tokenizer.json");
  } catch (error) {
    if (!(error instanceof FileSourceError && error.code === "missing")) throw error;
    throw new FileSourceError(
      "missing",
      `${error.message}; a tokenizer is read from tokenizer.json: make one in Python with ` +
        "AutoTokenizer.from_pretrained(name).save_pretrained(directory)",
      { cause: error },
    );
  }
}

const OPTIONS: OptionNames<HubOptions & TokenizerOptions> = {
  padToken: true,
  paddingSide: true,
  truncationSide: true,
  ...HUB_OPTIONS,
};

async function fromPretrained(
  name: FilesName,
  options: HubOptions & TokenizerOptions = {},
): Promise<PreTrainedTokenizer> {
  const wrong = wrongOptions(options, OPTIONS);
  if (wrong !== undefined) throw new TokenizerError(`AutoTokenizer.fromPretrained: ${wrong}`);
  const files = await openFiles(name, options);
  return readTogether(files, () => readFrom(files, options));
}

async function readFrom(
  files: FileSource,
  options: TokenizerOptions,
): Promise<PreTrainedTokenizer> {
  const json = await readTokenizer(files);
  const config = await readOptional(files, "tokenizer_config.json");
  const special = await readOptional(files, "special_tokens_map.json");
  const added = await readOptional(files, "added_tokens.json");
  const template = await readTemplate(files);
  try {
    const whole = withOlderFiles(config, special, added);
    return new PreTrainedTokenizer(json, { ...whole, ...template }, options);
  } catch (error) {
    if (!(error instanceof TokenizerError)) throw error;
    throw new TokenizerError(`${files.location}: ${error.message}`, { cause: error });
  }
}

/** Loads the tokenizer of a model. */
export const AutoTokenizer: {
  /**
   * Reads `tokenizer.json`, and `tokenizer_config.json`, `special_tokens_map.json`,
   * `added_tokens.json` and `chat_template.jinja` if they are there.
   *
   * @param name a directory, a model of the Hugging Face Hub, or another place that `openFiles`
   * knows.
   * @throws FileSourceError when there is no `tokenizer.json`; TokenizerError when it cannot be used.
   *
   * @example
   * ```ts
   * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini", {
   *   paddingSide: "left",
   * });
   * console.log(tokenizer.encode("The capital of Spain is"));
   * ```
   *
   * From the Hub, with a token to pad with, of which GPT-2 names none:
   *
   * ```ts no-run
   * const gpt2 = await AutoTokenizer.fromPretrained("openai-community/gpt2", {
   *   padToken: "<|endoftext|>",
   * });
   * ```
   */
  readonly fromPretrained: (
    name: FilesName,
    options?: HubOptions & TokenizerOptions,
  ) => Promise<PreTrainedTokenizer>;
} = { fromPretrained };
