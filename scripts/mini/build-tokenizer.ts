// Trains tsvene-mini's tokenizer and writes it into the model's directory:
//   npx tsx scripts/mini/build-tokenizer.ts

import { mkdirSync, writeFileSync } from "node:fs";
import { type DocumentKind, documentShares, generateDocuments } from "./corpus.ts";
import { factPrompts, indirectObjectPrompts } from "./evaluation.ts";
import { buildTokenizerFiles, loadTokenizer, MODEL_DIRECTORY } from "./tokenizer-files.ts";
import { createDocumentEncoder } from "./tokens.ts";

const SAMPLES = 5000;
const KINDS: readonly DocumentKind[] = ["facts", "gift", "story"];

type Encode = (text: string) => number[];

function meanTokens(kind: DocumentKind, encode: Encode): number {
  let total = 0;
  for (const document of generateDocuments({ seed: 2, documents: SAMPLES, kind })) {
    total += encode(document).length;
  }
  return total / SAMPLES;
}

function percent(part: number): string {
  return `${(100 * part).toFixed(0)} %`;
}

function describeCorpus(encode: Encode): string[] {
  const rows = KINDS.map((kind) => {
    const tokens = meanTokens(kind, encode);
    return { kind, tokens, share: documentShares[kind], weight: tokens * documentShares[kind] };
  });
  const mean = rows.reduce((total, { weight }) => total + weight, 0);
  return [
    ...rows.map(({ kind, tokens, share, weight }) => {
      const shares = `${percent(share)} of documents, ${percent(weight / mean)} of tokens`;
      return `  ${kind}: ${tokens.toFixed(1)} tokens a document, ${shares}`;
    }),
    `  all: ${mean.toFixed(1)} tokens a document`,
  ];
}

function answersOfSeveralTokens(encode: Encode): string[] {
  const answers = [...factPrompts("trained"), ...indirectObjectPrompts("trained")];
  const distinct = new Set(answers.map(({ answer }) => answer));
  return [...distinct].filter((answer) => encode(answer).length > 1);
}

const files = buildTokenizerFiles();
mkdirSync(MODEL_DIRECTORY, { recursive: true });
for (const [name, contents] of Object.entries(files)) {
  writeFileSync(`${MODEL_DIRECTORY}${name}`, contents);
}

const tokenizer = loadTokenizer(files);
const encode = createDocumentEncoder(tokenizer);
console.log(`vocabulary: ${tokenizer.vocabSize} tokens`);
console.log(["documents:", ...describeCorpus(encode)].join("\n"));
console.log(`answers of several tokens:${answersOfSeveralTokens(encode).join(",")}`);
