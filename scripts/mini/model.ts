import type { GPT2Config } from "tsvene";
import { CONTEXT_LENGTH, loadTokenizer } from "./tokenizer-files.ts";

/** Shape of tsvene-mini: about a million parameters. */
export function miniConfig(): Partial<GPT2Config> {
  const endOfText = loadTokenizer().convertTokensToIds("<|endoftext|>");
  return {
    vocabSize: endOfText + 1,
    nPositions: CONTEXT_LENGTH,
    nEmbd: 112,
    nLayer: 5,
    nHead: 4,
    residPdrop: 0,
    embdPdrop: 0,
    attnPdrop: 0,
    bosTokenId: endOfText,
    eosTokenId: endOfText,
    padTokenId: endOfText,
  };
}
