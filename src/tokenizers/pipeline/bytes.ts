/** Bytes that byte-level tokenizers spell as themselves. */
function isPlain(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
}

/** The character that stands for each byte, so that pieces have neither spaces nor controls. */
const BYTE_CHARACTERS: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  if (isPlain(byte)) return String.fromCharCode(byte);
  const before = Array.from({ length: byte }, (__, i) => i).filter((i) => !isPlain(i)).length;
  return String.fromCharCode(256 + before);
});

const CHARACTER_BYTES = new Map(BYTE_CHARACTERS.map((char, byte) => [char, byte]));
const encoder = new TextEncoder();
/** What a text begins with belongs to it, a byte order mark too. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Text of bytes, with U+FFFD for what is not UTF-8. */
export function utf8Text(bytes: readonly number[]): string {
  return decoder.decode(Uint8Array.from(bytes));
}

/** A text with a character for each of its bytes. */
export function spellBytes(text: string): string {
  let spelled = "";
  for (const byte of encoder.encode(text)) spelled += BYTE_CHARACTERS[byte] ?? "";
  return spelled;
}

/** The bytes that a text spells; undefined when it has characters that stand for none. */
export function spelledBytes(text: string): number[] | undefined {
  const bytes: number[] = [];
  for (const char of text) {
    const byte = CHARACTER_BYTES.get(char);
    if (byte === undefined) return undefined;
    bytes.push(byte);
  }
  return bytes;
}

/** `<0x41>`, the token of a byte. */
export function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}

const BYTE_TOKEN = /^<0x([0-9A-Fa-f]{2}|\+[0-9A-Fa-f])>$/;

export function byteOfToken(token: string): number | undefined {
  const digits = BYTE_TOKEN.exec(token)?.[1];
  return digits === undefined ? undefined : parseInt(digits, 16);
}
