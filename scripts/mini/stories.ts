import { capitalize } from "./facts.ts";
import { type Mood, moodNames, moods } from "./moods.ts";
import { createRandom, type Random } from "./random.ts";
import { HELD_OUT_SHARE, SPLIT_SEED, type Split } from "./splits.ts";

interface Character {
  readonly name: string;
  readonly gender: "female" | "male";
}

const FEMALE = "Mary Anna Lucy Emma Nora Lily Mia Ruby Rose Clara".split(" ");
const MALE = "John Tom Jack Sam Ben Max Leo Luke Tim Oscar".split(" ");

const characters: readonly Character[] = [
  ...FEMALE.map((name): Character => ({ name, gender: "female" })),
  ...MALE.map((name): Character => ({ name, gender: "male" })),
];

/** Where stories happen, and the word that goes before "the". */
const PLACES: Readonly<Record<string, "in" | "at" | "on" | "by">> = {
  park: "in",
  garden: "in",
  forest: "in",
  beach: "at",
  school: "at",
  market: "at",
  zoo: "at",
  farm: "on",
  river: "by",
  lake: "by",
};

const COLORS: readonly string[] = "red blue green yellow orange".split(" ");
const THINGS: readonly string[] = "ball kite hat book doll boat".split(" ");
const FRIENDS: readonly string[] = "mother father brother sister friend".split(" ");

const OPENINGS: readonly string[] = [
  "One {weather} day, a(n) {mood} {girl} named {name} went to the {place}.",
  "One {weather} morning, a(n) {mood} {girl} named {name} was {at} the {place}.",
  "It was a(n) {weather} day, and {name} was {at} the {place}. {She} felt {mood}.",
  "Once upon a time, there was a(n) {mood} {girl} named {name}. One day, {she} went to the {place}.",
  "{Name} was a(n) {mood} {girl}. One {weather} day, {she} went to the {place}.",
];

// Without a mood, so that a story's mood is not settled by its first words alone, and a model has
// a moment where every mood is still likely.
const NEUTRAL_OPENINGS: readonly string[] = [
  "One day, a little {girl} named {name} went to the {place}.",
  "One morning, a little {girl} named {name} was {at} the {place}.",
  "Once upon a time, there was a little {girl} named {name}. One day, {she} went to the {place}.",
  "One day, {name} went to the {place} with {friend}.",
];

/** Who a story is about, where it happens and how it feels. */
export interface StorySetting {
  readonly character: string;
  readonly gender: "female" | "male";
  readonly place: string;
  readonly mood: Mood;
  readonly split: Split;
}

function splitSettings(): StorySetting[] {
  const all = characters.flatMap(({ name, gender }) => {
    return Object.keys(PLACES).flatMap((place) => {
      return moodNames.map((mood) => ({ character: name, gender, place, mood }));
    });
  });
  const shuffled = createRandom(SPLIT_SEED).shuffle(all);
  const heldOut = new Set(shuffled.slice(0, Math.round(all.length * HELD_OUT_SHARE)));
  return all.map((setting) => {
    return { ...setting, split: heldOut.has(setting) ? "heldOut" : "trained" };
  });
}

/** Every character at every place in every mood, each marked as trained or held out. */
export const storySettings: readonly StorySetting[] = splitSettings();

interface Scene {
  readonly setting: StorySetting;
  readonly thing: string;
  readonly friend: string;
}

function drawScene(setting: StorySetting, random: Random): Scene {
  const thing = `${random.pick(COLORS)} ${random.pick(THINGS)}`;
  return { setting, thing, friend: random.pick(FRIENDS) };
}

function fill(template: string, { setting, thing, friend }: Scene, random: Random): string {
  const { adjectives, weather } = moods[setting.mood];
  const isFemale = setting.gender === "female";
  const slots: Record<string, () => string> = {
    name: () => setting.character,
    place: () => setting.place,
    at: () => PLACES[setting.place] ?? "at",
    thing: () => thing,
    mood: () => random.pick(adjectives),
    weather: () => random.pick(weather),
    girl: () => (isFemale ? "girl" : "boy"),
    she: () => (isFemale ? "she" : "he"),
    her: () => (isFemale ? "her" : "his"),
    obj: () => (isFemale ? "her" : "him"),
    friend: () => `${isFemale ? "her" : "his"} ${friend}`,
  };
  const filled = template.replace(/\{(\w+)\}/g, (_, slot: string) => {
    const value = slots[slot.toLowerCase()];
    if (value === undefined) throw new Error(`fill: no slot {${slot}} in "${template}"`);
    return slot === slot.toLowerCase() ? value() : capitalize(value());
  });
  return filled.replace(/\b([Aa])\(n\) (?=(.))/g, (_, article: string, next: string) => {
    return /[aeiou]/.test(next) ? `${article}n ` : `${article} `;
  });
}

/** One of the sentences, and if possible one that repeats no word of mood from the story so far. */
function pickFresh(
  templates: readonly string[],
  story: string,
  mood: Mood,
  random: Random,
): string {
  const used = moods[mood].words.filter((word) => new RegExp(`\\b${word}\\b`, "i").test(story));
  const fresh = templates.filter((template) => !used.some((word) => template.includes(word)));
  return random.pick(fresh.length > 0 ? fresh : templates);
}

function continueStory(opening: string, scene: Scene, random: Random): string {
  const { mood } = scene.setting;
  const { events, reactions, company, endings } = moods[mood];
  const parts = [
    events,
    reactions,
    ...(random.chance(0.35) ? [reactions] : []),
    ...(random.chance(0.5) ? [company] : []),
    endings,
  ];
  return parts.reduce((story, templates) => {
    return `${story} ${fill(pickFresh(templates, story, mood, random), scene, random)}`;
  }, opening);
}

/** Writes the first sentence or two, from which the mood can be told. */
export function writeStoryBeginning(setting: StorySetting, random: Random): string {
  return fill(random.pick(OPENINGS), drawScene(setting, random), random);
}

/** Writes a first sentence or two that leave the mood open. */
export function writeNeutralBeginning(setting: StorySetting, random: Random): string {
  return fill(random.pick(NEUTRAL_OPENINGS), drawScene(setting, random), random);
}

const trainedSettings = storySettings.filter(({ split }) => split === "trained");

/** Writes a story of four to seven short sentences in a trained setting. */
export function writeStory(random: Random): string {
  const scene = drawScene(random.pick(trainedSettings), random);
  const opening = random.pick(random.chance(0.35) ? NEUTRAL_OPENINGS : OPENINGS);
  return continueStory(fill(opening, scene, random), scene, random);
}
