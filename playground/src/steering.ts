import type { WritingTask } from "tsvene/worker";
import type { SteeringPicture } from "./picture.ts";

/** The writing that a picture asks for. */
export function steeredWriting(steering: SteeringPicture): WritingTask {
  const { prompt, layer, strength, tokens } = steering;
  const { positive, negative } = contrast(steering);
  return {
    prompt,
    maxNewTokens: tokens,
    steering: {
      positive,
      negative,
      sites: { component: "block_output", layer },
      strength,
    },
  };
}

/** The texts that are not empty. */
export function contrast({ positive, negative }: SteeringPicture): {
  readonly positive: readonly string[];
  readonly negative: readonly string[];
} {
  const written = (texts: readonly string[]): readonly string[] =>
    texts.filter((text) => text !== "");
  return { positive: written(positive), negative: written(negative) };
}
