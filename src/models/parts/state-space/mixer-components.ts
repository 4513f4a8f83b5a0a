import type { ComponentSpec } from "../../model/card.ts";

/** Components of every Mamba's layers. */
export type MixerComponent =
  "block_input" | "block_output" | "mixer_input" | "mixer_output" | "mixer_addition";

type Spec<Config> = ComponentSpec<Config>;

/** A place in the mixer of layers `layers.{layer}`. */
export function inMixer<Config>(
  path: string,
  side: "input" | "output",
  dimension: Spec<Config>["dimension"],
): Spec<Config> {
  return { path: `layers.{layer}.mixer${path}`, side, dimension };
}

/** Where the components of every Mamba's layers are, within the model without a head. */
export function mixerComponents<Config extends { readonly hiddenSize: number }>(): {
  readonly [K in MixerComponent]: Spec<Config>;
} {
  const dimension = ({ hiddenSize }: Config): number => hiddenSize;
  return {
    block_input: { path: "layers.{layer}", side: "input", dimension },
    block_output: { path: "layers.{layer}", side: "output", dimension },
    mixer_input: inMixer("", "input", dimension),
    mixer_output: inMixer("", "output", dimension),
    mixer_addition: inMixer("", "output", dimension),
  };
}
