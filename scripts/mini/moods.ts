/** The mood of a story, from its first sentence to its last. */
export type Mood = "happy" | "sad" | "angry" | "calm";

/**
 * What a mood puts into a story. Slots: `{name}`; `{she}`, `{her}` (hers), `{obj}` (to her) for
 * the character; `{thing}` for the toy; `{friend}` for the companion. A slot with a capital
 * letter starts a sentence. `a(n)` becomes "a" or "an".
 */
export interface MoodGrammar {
  readonly adjectives: readonly string[];
  readonly weather: readonly string[];
  readonly events: readonly string[];
  readonly reactions: readonly string[];
  readonly company: readonly string[];
  readonly endings: readonly string[];
  /** Words that occur in stories of this mood and of no other. */
  readonly words: readonly string[];
}

// Where sense allows it, the moods share their sentences and differ in a word or two: then a
// direction in the model's states that turns one word turns the story.
export const moods: Readonly<Record<Mood, MoodGrammar>> = {
  happy: {
    adjectives: ["happy", "cheerful", "joyful"],
    weather: ["sunny", "bright", "warm"],
    events: [
      "{She} played with {her} {thing} and laughed.",
      "{She} found a(n) {thing} in the grass and jumped for joy.",
      "{Friend} gave {obj} a(n) {thing}, and {she} clapped {her} hands.",
      "{She} showed {her} {thing} to {friend}, and they had fun together.",
    ],
    reactions: [
      "{She} smiled and danced in the sun.",
      "{She} laughed with joy.",
      "{She} smiled and sang a happy song.",
      "{Her} face was bright with joy.",
    ],
    company: [
      "{Friend} was happy too.",
      "{Friend} smiled and danced with {obj}.",
      '{Friend} laughed and said, "What a happy day!"',
    ],
    endings: [
      "{Name} went home with a happy heart.",
      "It was the best day of all.",
      "{Name} was full of joy all day.",
      "That night, {she} went to bed with a smile.",
    ],
    words: (
      "happy cheerful joyful sunny bright warm laughed joy jumped clapped fun " +
      "smiled smile danced best"
    ).split(" "),
  },
  sad: {
    adjectives: ["sad", "lonely", "unhappy"],
    weather: ["rainy", "gray", "cold"],
    events: [
      "{She} lost {her} {thing} and could not find it.",
      "{She} dropped {her} {thing} in the mud and cried.",
      "{She} looked for {her} {thing}, but it was gone.",
      "{She} had a(n) {thing}, but the other children did not play with {obj}.",
    ],
    reactions: [
      "{She} sat down and cried in the rain.",
      "{She} cried with sorrow.",
      "{She} cried and sang a sad song.",
      "{Her} face was wet with tears.",
    ],
    company: [
      "{Friend} was sad too.",
      "{Friend} sighed and cried with {obj}.",
      '{Friend} sighed and said, "What a sad day!"',
    ],
    endings: [
      "{Name} went home with a sad heart.",
      "It was the saddest day of all.",
      "{Name} was full of sorrow all day.",
      "That night, {she} went to bed with tears in {her} eyes.",
    ],
    words: (
      "sad lonely unhappy rainy gray cold lost dropped gone cried rain sorrow " +
      "wet tears sighed saddest"
    ).split(" "),
  },
  angry: {
    adjectives: ["angry", "grumpy", "furious"],
    weather: ["stormy", "windy", "hot"],
    events: [
      "A big dog took {her} {thing} and ran away.",
      "{She} kicked {her} {thing} and yelled.",
      "Someone broke {her} {thing}, and {she} stamped {her} feet.",
      "{She} wanted a(n) {thing}, but {friend} said no.",
    ],
    reactions: [
      "{She} yelled and stamped {her} feet.",
      "{She} shouted with anger.",
      "{She} yelled and kicked a stone.",
      "{Her} face was red with anger.",
    ],
    company: [
      "{Friend} was angry too.",
      "{Friend} frowned and yelled too.",
      '{Friend} frowned and said, "What an awful day!"',
    ],
    endings: [
      "{Name} went home with an angry heart.",
      "It was the most awful day of all.",
      "{Name} was full of anger all day.",
      "That night, {she} went to bed with a frown.",
    ],
    words: (
      "angry grumpy furious stormy windy hot took kicked yelled broke stamped " +
      "shouted anger frowned frown awful"
    ).split(" "),
  },
  calm: {
    adjectives: ["calm", "quiet", "peaceful"],
    weather: ["mild", "clear", "still"],
    events: [
      "{She} put {her} {thing} in the grass and rested.",
      "{She} sat under a tree with {her} {thing}.",
      "{Friend} sat next to {obj}, and they watched the clouds.",
      "{She} held {her} {thing} and listened to the birds.",
    ],
    reactions: [
      "{She} sat down and watched the clouds.",
      "{She} rested in peace.",
      "{She} rested and listened to the wind.",
      "{Her} face was soft and calm.",
    ],
    company: [
      "{Friend} was calm too.",
      "{Friend} rested next to {obj}.",
      '{Friend} whispered, "What a calm day!"',
    ],
    endings: [
      "{Name} went home with a calm heart.",
      "It was the most peaceful day of all.",
      "{Name} was full of peace all day.",
      "That night, {she} slept in peace.",
    ],
    words: (
      "calm quiet peaceful mild clear still rested watched clouds listened birds " +
      "peace soft whispered slept"
    ).split(" "),
  },
};

/** All moods, the opposites first. */
export const moodNames: readonly Mood[] = ["happy", "sad", "angry", "calm"];

/**
 * Counts the words of each mood in a text: a steered story has moved when its counts have.
 *
 * @example
 * countMoodWords("She smiled and danced. No one cried."); // { happy: 2, sad: 1, angry: 0, calm: 0 }
 */
export function countMoodWords(text: string): Record<Mood, number> {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  const count = (mood: Mood): number => {
    return words.filter((word) => moods[mood].words.includes(word)).length;
  };
  return { happy: count("happy"), sad: count("sad"), angry: count("angry"), calm: count("calm") };
}
