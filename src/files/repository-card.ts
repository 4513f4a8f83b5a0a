import { describeValue } from "../base/describe-value.ts";
import { type OptionNames, wrongOptions } from "../base/known-options.ts";
import { isHubId } from "./hub-options.ts";

/** What the card of a repository says beside what is known of its files. */
export interface CardOptions {
  /**
   * Licence, as the Hub names it: `"apache-2.0"`, `"mit"`, `"llama2"`, `"other"` ...
   * @default none is named
   */
  readonly license?: string;
  /**
   * `organisation/name` of the model that this one is made of, or for: the Hub shows it there too.
   * @default the one that is known of the files, if any
   */
  readonly baseModel?: string;
  /** More words to be found by. */
  readonly tags?: readonly string[];
  /** What it is and what it is for, as Markdown. */
  readonly description?: string;
  /**
   * Code that loads it, such as that of your own class.
   * @default an import from this package, and the call that loads it
   */
  readonly code?: string;
}

const OPTIONS: OptionNames<CardOptions> = {
  license: true,
  baseModel: true,
  tags: true,
  description: true,
  code: true,
};

/** What is wrong with the options of a card, if anything. */
export function wrongCardOptions(card: CardOptions | undefined): string | undefined {
  if (card === undefined) return undefined;
  const unknown = wrongOptions(card, OPTIONS);
  if (unknown !== undefined) return `card: ${unknown}`;
  const { baseModel, tags = [] } = card;
  for (const name of ["license", "baseModel", "description", "code"] as const) {
    const value: unknown = card[name];
    if (value === undefined || (typeof value === "string" && value.trim() !== "")) continue;
    return `card.${name} must be a text; got ${JSON.stringify(value) ?? describeValue(value)}`;
  }
  if (baseModel !== undefined && !isHubId(baseModel)) {
    return `card.baseModel must be a model of the Hub, "organisation/name"; got ${JSON.stringify(baseModel)}`;
  }
  if (Array.isArray(tags) && tags.every((tag) => typeof tag === "string" && tag !== "")) {
    return undefined;
  }
  return `card.tags must be a list of words; got ${JSON.stringify(tags)}`;
}

/** What a card is made of. */
export interface CardParts {
  /** What the repository is called on its page. */
  readonly title: string;
  /** What it is, as Markdown. */
  readonly about: string;
  /** Code that loads it. */
  readonly code: string;
  /** The model of the Hub that it is made of, or for, if one is known. */
  readonly baseModel?: string | undefined;
  /** Words to be found by. */
  readonly tags: readonly string[];
  /** What the caller wants it to say. */
  readonly options?: CardOptions | undefined;
}

/** Stands in a card that nobody has written on, so that another may take its place. */
const MARK =
  "<!-- Made by tsvene. Without this line, this text is kept when files are uploaded. -->";

/** Whether a card may be replaced: nobody has made it his own. */
export function isMadeCard(text: string): boolean {
  return text.includes(MARK);
}

/** Words of YAML that are no text without quotes. */
const RESERVED = /^(?:true|false|yes|no|on|off|null|y|n)$/i;

/**
 * A text as YAML, of every version: as it is where it can mean nothing else, else in double quotes,
 * with whatever not every reader takes for a character as its number.
 */
export function yamlText(text: string): string {
  if (/^[a-z][\w./-]*$/i.test(text) && !RESERVED.test(text)) return text;
  // Halves of a character that lack the other one go.
  const whole = new TextDecoder().decode(new TextEncoder().encode(text));
  return JSON.stringify(whole).replaceAll(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function yamlHeader(
  fields: Readonly<Record<string, string | readonly string[] | undefined>>,
): string {
  const lines = Object.entries(fields).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (typeof value === "string") return [`${name}: ${yamlText(value)}`];
    return value.length === 0 ? [] : [`${name}:`, ...value.map((word) => `- ${yamlText(word)}`)];
  });
  return ["---", ...lines, "---"].join("\n");
}

/**
 * The card of a repository, `README.md`: a header that the Hub finds it by, what it is, and code
 * that loads it.
 *
 * Source: https://huggingface.co/docs/hub/model-cards
 */
export function cardText({ title, about, code, options = {}, ...known }: CardParts): string {
  const header = yamlHeader({
    library_name: "tsvene",
    license: options.license,
    base_model: options.baseModel ?? known.baseModel,
    tags: [...new Set(["tsvene", ...known.tags, ...(options.tags ?? [])])],
  });
  const parts = [
    header,
    MARK,
    `# ${title}`,
    options.description?.trim(),
    about,
    "```ts\n" + (options.code ?? code).trim() + "\n```",
  ];
  return parts.filter((part) => part !== undefined).join("\n\n") + "\n";
}
