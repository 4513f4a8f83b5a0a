import { TokenizerError } from "./tokenizer-error.ts";
import { Fields, isCount, shown } from "./fields.ts";

/** A token of a text, and the units of the text that it covers; none for one that was added. */
export interface TextToken {
  /** Id of the token. */
  readonly id: number;
  /** Its text in the vocabulary. */
  readonly token: string;
  /** First UTF-16 unit of the text that it covers. */
  readonly begin: number;
  /** The unit after the last. */
  readonly end: number;
  /** Put there by the post-processor. */
  readonly isAround: boolean;
}

/** Runs of tokens; a post-processor may put runs of its own between them. */
export type Runs = readonly (readonly TextToken[])[];

/** Puts special tokens around a text. */
export type PostProcessor = (runs: Runs, addsSpecial: boolean) => Runs;

/** The types of post-processors that a tokenizer.json may name. */
export type PostProcessorType =
  "BertProcessing" | "RobertaProcessing" | "ByteLevel" | "TemplateProcessing" | "Sequence";

export const POST_PROCESSORS: {
  readonly [K in PostProcessorType]: (fields: Fields) => PostProcessor;
} = {
  BertProcessing: (fields) => between(fields),
  RobertaProcessing: (fields) => {
    fields.flag("trim_offsets", true);
    fields.flag("add_prefix_space", true);
    return between(fields);
  },
  // Trims offsets only, and those are not trimmed here: a token stands for its space, too.
  ByteLevel: () => (runs) => runs,
  TemplateProcessing: readTemplate,
  Sequence: (fields) => {
    const list = fields.children("processors");
    if (list.length > MAX_STEPS) throw fields.wrong("processors", `at most ${MAX_STEPS}`);
    const steps = list.map(readPostProcessor);
    return (whole, addsSpecial) => steps.reduce((runs, step) => step(runs, addsSpecial), whole);
  },
};

export function readPostProcessor(fields: Fields): PostProcessor {
  return fields.component(POST_PROCESSORS)(fields);
}

function around(id: number, token: string): TextToken {
  return { id, token, begin: 0, end: 0, isAround: true };
}

/** Reads a token and its id: `["[SEP]", 102]`. */
function readToken(fields: Fields, key: string): TextToken {
  const [token, id] = fields.list(key);
  if (typeof token === "string" && isCount(id)) return around(id, token);
  throw fields.wrong(key, "a token and its id");
}

/** `cls` before the first run, and `sep` after every one. */
function between(fields: Fields): PostProcessor {
  const begin = readToken(fields, "cls");
  const end = readToken(fields, "sep");
  return (runs, addsSpecial) => {
    if (!addsSpecial) return runs;
    return runs.map((run, i) => (i === 0 ? [begin, ...run, end] : [...run, end]));
  };
}

/** Post-processors that may follow one another, each with its tokens. */
const MAX_STEPS = 16;

/** Tokens that a template may put around a text. */
const MAX_ADDED = 1000;

/** What a template puts there: the text, or tokens. */
type TemplatePart = "text" | readonly TextToken[];

function readTemplate(fields: Fields): PostProcessor {
  const special = fields.child("special_tokens");
  const parts: TemplatePart[] = [];
  let [texts, added] = [0, 0];
  for (const json of readParts(fields)) {
    const part = readPart(json, special);
    if (part === "text") texts++;
    else added += part.length;
    parts.push(part);
    if (texts > 1 || added > MAX_ADDED || parts.length > MAX_ADDED) throw wrongTemplate(fields);
  }
  if (texts !== 1) throw wrongTemplate(fields);
  return (runs, addsSpecial) =>
    parts.flatMap((part): Runs => {
      if (part === "text") return runs;
      return addsSpecial ? [part] : [];
    });
}

function wrongTemplate(fields: Fields): TokenizerError {
  return fields.wrong("single", `a template of the text once and at most ${MAX_ADDED} tokens`);
}

/** A template is a list of objects, or text: `"[CLS] $A [SEP]"`. */
function readParts(fields: Fields): (Fields | string)[] {
  const { single } = fields.json;
  if (typeof single === "string") return single.split(/\s+/).filter((part) => part !== "");
  return fields
    .list("single")
    .map((part, i) =>
      typeof part === "string" ? part : new Fields(part, `${fields.where}.single[${i}]`),
    );
}

function readPart(part: Fields | string, special: Fields): TemplatePart {
  if (typeof part === "string") return readWord(part, special);
  if (part.has("SpecialToken")) return tokensOf(special, part.child("SpecialToken").text("id"));
  part.child("Sequence").word("id", ["A"]);
  return "text";
}

function readWord(part: string, special: Fields): TemplatePart {
  const [name = ""] = part.split(":");
  if (/^\$(A|a|\d*)$/.test(name)) return "text";
  return tokensOf(special, name);
}

function tokensOf(special: Fields, name: string): readonly TextToken[] {
  if (!Object.hasOwn(special.json, name)) {
    throw new TokenizerError(
      `${special.where} lacks ${shown(name)}, which the template puts around a text`,
    );
  }
  const token = special.child(name);
  const ids = token.list("ids");
  const texts = token.list("tokens");
  return ids.map((id, i) => {
    const text = texts[i];
    if (!isCount(id)) throw token.wrong("ids", "a list of ids");
    if (typeof text !== "string") throw token.wrong("tokens", "a text for each of ids");
    return around(id, text);
  });
}
