import { inRanges } from "./char-set.ts";
import { NEW_IN_SCRIPTS } from "./unicode-versions.ts";

/** Scripts of Unicode that SentencePiece keeps apart. */
const SCRIPTS = (
  "Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali " +
  "Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian " +
  "Chakma Cham Cherokee Common Coptic Cuneiform Cypriot Cyrillic Deseret Devanagari Duployan " +
  "Egyptian_Hieroglyphs Elbasan Ethiopic Georgian Glagolitic Gothic Grantha Greek Gujarati Gurmukhi " +
  "Han Hangul Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited Inscriptional_Pahlavi " +
  "Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kayah_Li Kharoshthi Khmer Khojki " +
  "Khudawadi Lao Latin Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Malayalam Mandaic " +
  "Manichaean Marchen Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi " +
  "Mongolian Mro Multani Myanmar Nabataean New_Tai_Lue Newa Nko Ogham Ol_Chiki Old_Hungarian " +
  "Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_South_Arabian Old_Turkic Oriya Osage " +
  "Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic " +
  "Samaritan Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sora_Sompeng Sundanese " +
  "Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tamil Tangut Telugu Thaana " +
  "Thai Tibetan Tifinagh Tirhuta Ugaritic Vai Warang_Citi Yi"
).split(" ");

let patterns: (readonly [string, RegExp])[] | undefined;
const memory = new Map<number, string>();

/** No script of its own: joins what stands before it. */
const ANY = "Any";

/** The script of a character as Unigram's trainer sees it: Japanese is one script. */
function scriptOf(code: number): string {
  const known = memory.get(code);
  if (known !== undefined) return known;
  const script = findScript(code);
  memory.set(code, script);
  return script;
}

/** Characters that count to another script than Unicode's own. */
const FIXED: ReadonlyMap<number, string> = new Map([
  [0x20, ANY],
  [0x30fc, "Han"],
  [0x589, "Common"],
  [0x61c, "Common"],
  [0x953, "Devanagari"],
  [0x954, "Devanagari"],
]);

function findScript(code: number): string {
  const fixed = FIXED.get(code);
  if (fixed !== undefined) return fixed;
  if (inRanges(NEW_IN_SCRIPTS, code)) return ANY;
  patterns ??= SCRIPTS.map((name) => [name, new RegExp(`\\p{Script=${name}}`, "u")] as const);
  const char = String.fromCodePoint(code);
  const [script = ANY] = patterns.find(([, regex]) => regex.test(char)) ?? [];
  return script === "Hiragana" || script === "Katakana" ? "Han" : script;
}

/** Where the parts of a text begin that are of one script each. */
export function scriptBreaks(text: string): number[] {
  const breaks: number[] = [];
  let last: string | undefined;
  let at = 0;
  for (const char of text) {
    const script = scriptOf(char.codePointAt(0) ?? 0);
    if (script !== ANY && last !== script) breaks.push(at);
    if (script !== ANY) last = script;
    at += char.length;
  }
  return breaks;
}
