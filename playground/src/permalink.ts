import {
  type Cell,
  type EditPicture,
  METRICS,
  type ModelChoice,
  type Picture,
  START,
  type SteeringPicture,
  VIEWS,
} from "./picture.ts";

/** What this page writes and reads. A change of what fields mean raises it. */
export const VERSION = 1;

/** What an address says: a picture, and what of it could not be used. */
export interface Read {
  readonly picture: Picture;
  readonly problem: string | undefined;
}

type Check<T> = (value: unknown) => value is T;

const LONGEST = 2_000;
const MOST = 50;

const isText: Check<string> = (value): value is string =>
  typeof value === "string" && value.length <= LONGEST;
const isCount: Check<number> = (value): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) < 10_000;
const isNumber: Check<number> = (value): value is number =>
  typeof value === "number" && Number.isFinite(value);
const isOneOf =
  <T extends string>(words: readonly T[]): Check<T> =>
  (value): value is T =>
    words.some((word) => word === value);
const isList =
  <T>(check: Check<T>): Check<readonly T[]> =>
  (value): value is readonly T[] =>
    Array.isArray(value) && value.length <= MOST && value.every(check);
const isObject =
  <T extends object>(fields: { readonly [K in keyof T]: Check<T[K]> }): Check<T> =>
  (value): value is T =>
    typeof value === "object" &&
    value !== null &&
    Object.entries<Check<unknown>>(fields).every(([name, check]) =>
      check((value as Readonly<Record<string, unknown>>)[name]),
    );

const isCell = isObject<Cell>({ layer: isCount, place: isCount });

const FIELDS: { readonly [K in keyof Picture]: Check<Picture[K]> } = {
  model: isObject<ModelChoice>({ from: isOneOf(["page", "hub", "url"]), name: isText }),
  view: isOneOf(VIEWS),
  clean: isText,
  corrupt: isText,
  right: isText,
  wrong: isText,
  metric: isOneOf(METRICS),
  component: isText,
  chosen: isList(isCell),
  head: isCell,
  steering: isObject<SteeringPicture>({
    prompt: isText,
    positive: isList(isText),
    negative: isList(isText),
    layer: isCount,
    strength: isNumber,
    tokens: isCount,
  }),
  edits: isList(
    isObject<EditPicture>({
      intervention: isText,
      component: isText,
      layer: isCount,
      position: isNumber,
    }),
  ),
};

/** The part of an address after `#`, which says what differs from the page as it first opens. */
export function writeLink(picture: Picture): string {
  const said = Object.entries(picture).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(START[name as keyof Picture]),
  );
  return `#v${VERSION}:${encodeURIComponent(JSON.stringify(Object.fromEntries(said)))}`;
}

/** Reads such a part; nothing that it says is taken unless it is what was expected there. */
export function readLink(hash: string): Read {
  if (hash === "" || hash === "#") return { picture: START, problem: undefined };
  const [, version, text] = /^#v(\d{1,6}):(.*)$/s.exec(hash) ?? [];
  if (version === undefined || text === undefined) {
    return {
      picture: START,
      problem: "This link is none of the playground; it opens as at first.",
    };
  }
  if (Number(version) > VERSION) {
    return {
      picture: START,
      problem:
        `This link was made by a later version of the playground (${version}; this page reads up to ` +
        `${VERSION}). Load the page anew, or ask for the page it was made with.`,
    };
  }
  return readFields(text);
}

function readFields(text: string): Read {
  const said = parse(text);
  if (said === undefined) {
    return { picture: START, problem: "This link is damaged; the page opens as at first." };
  }
  const names = Object.keys(said);
  const isGood = (name: string): boolean =>
    Object.hasOwn(FIELDS, name) && FIELDS[name as keyof Picture](said[name]);
  const good = Object.fromEntries(names.filter(isGood).map((name) => [name, said[name]]));
  const wrong = names.filter((name) => !isGood(name));
  const problem =
    wrong.length === 0
      ? undefined
      : `This link says something of ${wrong.slice(0, 5).join(", ").slice(0, 80)} that is not understood; that ` +
        "is left as at first.";
  return { picture: { ...START, ...good }, problem };
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const said: unknown = JSON.parse(decodeURIComponent(text));
    const isPlain = typeof said === "object" && said !== null && !Array.isArray(said);
    return isPlain ? (said as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
