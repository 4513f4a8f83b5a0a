import {
  type ContrastData,
  evaluate,
  Generator,
  type GPT2Config,
  GPT2LMHeadModel,
  manualSeed,
  type Tensor,
  tensor,
} from "tsvene";

/** The size of GPT-2 small. */
export const SMALL = { nLayer: 12, nEmbd: 768, nHead: 12, vocabSize: 50_257 };

const built = new Map<object, Promise<GPT2LMHeadModel>>();

/** A randomly initialised model, made on first use and shared by the jobs. */
export function randomGpt2(config: Partial<GPT2Config> = SMALL): Promise<GPT2LMHeadModel> {
  const known = built.get(config);
  if (known !== undefined) return known;
  const made = build(config);
  built.set(config, made);
  return made;
}

async function build(config: Partial<GPT2Config>): Promise<GPT2LMHeadModel> {
  manualSeed(0);
  const gpt2 = new GPT2LMHeadModel(config).eval();
  await evaluate(...gpt2.parameters().map((p) => p.value));
  return gpt2;
}

/** Tokens drawn at random. */
export function randomTokens(length: number, seed: number): readonly number[] {
  const generator = new Generator(seed);
  return Array.from({ length }, () => generator.integer(SMALL.vocabSize));
}

/** A text in several rows. */
export function repeated(tokens: readonly number[], rows: number): { readonly inputIds: Tensor } {
  return { inputIds: tensor(Array.from({ length: rows }, () => [...tokens]), { dtype: "int64" }) }; // prettier-ignore
}

/** One pair of texts of tokens drawn at random. */
export function randomPair(length: number): ContrastData {
  const [clean, corrupt] = [randomTokens(length, 1), randomTokens(length, 2)];
  return {
    length: 1,
    batch: (indices) => ({
      indices,
      clean: repeated(clean, indices.length),
      corrupt: repeated(corrupt, indices.length),
      right: indices.map(() => [7]),
      wrong: indices.map(() => [8]),
    }),
  };
}
