/**
 * Advance widths of Helvetica for the characters from space to "~", in thousandths of the font's
 * size, as Adobe's font metrics give them; Arial and Liberation Sans have the same.
 */
const HELVETICA: readonly number[] = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
  556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
  611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
  667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
  222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
const OTHER = 556;
const WIDE = 1000;
/** How much wider Helvetica Bold is, on English text. */
const BOLD = 1.07;

const WIDE_CHARACTER =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uff01-\uff60]/u;
const NO_WIDTH = /[\p{Mark}\p{Cf}]/u;

/**
 * Width of text in Helvetica, in pixels, where there is nothing to measure it with.
 * @param fontSize - In pixels.
 */
export function textWidth(text: string, fontSize: number, bold = false): number {
  let thousandths = 0;
  for (const character of text) thousandths += advance(character);
  return (thousandths / 1000) * fontSize * (bold ? BOLD : 1);
}

function advance(character: string): number {
  if (NO_WIDTH.test(character)) return 0;
  if (WIDE_CHARACTER.test(character)) return WIDE;
  return HELVETICA[(character.codePointAt(0) ?? 0) - 32] ?? OTHER;
}

/** How many columns of a terminal text takes: two for wide characters, none for accents. */
export function terminalWidth(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (NO_WIDTH.test(character)) continue;
    columns += WIDE_CHARACTER.test(character) ? 2 : 1;
  }
  return columns;
}
