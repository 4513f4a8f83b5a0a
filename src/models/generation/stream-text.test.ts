import { expect, test } from "vitest";
import { streamText } from "./stream-text.ts";

const BYTES = new Map([
  [1, [0x20, 0x61]],
  [2, [0xe9, 0xa6]],
  [3, [0x96]],
  [9, []],
]);

/** Tokens of bytes, as byte-level vocabularies have; the first one of a text loses its space. */
const tokenizer = {
  decode: (ids: ArrayLike<number | bigint> | number | bigint): string => {
    const bytes = Array.from(ids as number[], (id) => BYTES.get(id) ?? []).flat();
    return new TextDecoder().decode(Uint8Array.from(bytes)).replace(/^ /, "");
  },
};

async function* steps(...tokens: number[]) {
  for (const [i, token] of tokens.entries()) {
    yield { tokens: [token], ended: [i === tokens.length - 1] };
  }
}

test("gives all text so far, with spaces as in the whole, and characters once they are whole", async () => {
  const texts: string[] = [];
  for await (const { text } of streamText(tokenizer, [1], steps(1, 2, 3, 9))) texts.push(text);
  expect(texts).toEqual([" a", " a", " a首", " a首"]);
});

test("shows what never became a character at the end", async () => {
  const texts: string[] = [];
  for await (const { text } of streamText(tokenizer, [1], steps(2, 9))) texts.push(text);
  expect(texts).toEqual(["", "�"]);
});
