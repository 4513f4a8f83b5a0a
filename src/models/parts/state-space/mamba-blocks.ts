import type { Embedding } from "../../../nn/layers/embedding.ts";
import { Linear } from "../../../nn/layers/linear.ts";
import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import type { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import { normalLinear } from "./init.ts";
import { fail } from "../../../nn/errors.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { noted } from "../../model/cache-notes.ts";
import { embedInputs } from "../embed-inputs.ts";
import { nextTokenLoss } from "../heads.ts";
import { realSteps } from "./real-steps.ts";
import type { CausalLMInputs, CausalLMOutput, DecoderInputs, DecoderOutput } from "../outputs.ts";

/** What one layer of a state-space model keeps of the tokens it has read. */
export interface MambaState {
  /** [batch, kernel - 1, channels]: the convolution's last inputs. */
  readonly conv: Tensor;
  /** The state space's state: Mamba's [batch, size, width], Mamba-2's [batch, heads, width, size]. */
  readonly ssm: Tensor;
}

/** One entry a layer. */
export type MambaCache = readonly MambaState[];

/** What a mixer is told beside its input. */
export interface MixerContext {
  /** [batch, steps, 1], 1 for real tokens and 0 for padding. */
  readonly mask: Tensor | undefined;
  /** What is kept of earlier positions; undefined at the start of a text. */
  readonly past: MambaState | undefined;
}

/** What mixes positions in a state-space model. */
export interface Mixer extends Module {
  forward(x: Tensor, context: MixerContext): [Tensor, MambaState];
}

/** A mixer after a norm, added to what goes in. */
export class MambaBlock<M extends Mixer> extends Module {
  /** The norm before the mixer. */
  readonly norm: RMSNorm;
  /** The recurrence of the block. */
  readonly mixer: M;

  constructor(mixer: M, width: number, eps: number) {
    super();
    this.norm = new RMSNorm(width, { eps });
    this.mixer = mixer;
  }

  override forward(x: Tensor, context: MixerContext): [Tensor, MambaState] {
    const [mixed, state] = this.mixer.forward(this.norm.forward(x), context);
    return [x.add(mixed), state];
  }
}

/** The parts of a state-space model without a head, under the names of checkpoints. */
export interface MambaBackbone {
  /** The token embedding. */
  readonly embeddings: Embedding;
  /** The layers, in order. */
  readonly layers: ModuleList<MambaBlock<Mixer>>;
  /** The norm after the last layer. */
  readonly norm_f: RMSNorm;
}

/** Runs tokens through the layers. Hidden states are each layer's output, then the last norm's. */
export function runBackbone(
  model: string,
  { embeddings, layers, norm_f: norm }: MambaBackbone,
  inputs: DecoderInputs<MambaCache>,
): DecoderOutput<MambaCache> {
  const { pastKeyValues } = inputs;
  let x = embedInputs(model, inputs, embeddings);
  const steps = x.size(1);
  if (steps === 0) fail(model, "the sequence is empty; give at least one token");
  if (pastKeyValues !== undefined && pastKeyValues.length !== layers.length) {
    fail(model, `pastKeyValues are of ${pastKeyValues.length} layers, wanted ${layers.length}`);
  }
  const { attentionMask, real } = realSteps(model, inputs, steps);
  const mask = real?.to(x.dtype);
  const hiddenStates: Tensor[] = [];
  const states: MambaState[] = [];
  for (const [i, layer] of [...layers].entries()) {
    const [output, state] = layer.forward(x, { mask, past: pastKeyValues?.[i] });
    x = output;
    hiddenStates.push(x);
    states.push(state);
  }
  const lastHiddenState = norm.forward(x);
  return {
    lastHiddenState,
    hiddenStates: [...hiddenStates, lastHiddenState],
    attentions: [],
    pastKeyValues: noted(states, { attentionMask }),
  };
}

/** Padding as zeros, which leave the state as it is. */
export function masked(x: Tensor, mask: Tensor | undefined): Tensor {
  return mask === undefined ? x : x.mul(mask);
}

/** Settings of an output matrix. */
interface HeadConfig {
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize: number;
  /** Standard deviation of weights that no checkpoint gives. */
  readonly initializerRange: number;
  /** Whether the head of a language model shares the weights of the token embedding. */
  readonly tieWordEmbeddings: boolean;
}

/** The matrix of logits: the embedding's where these are tied. */
export function outputLayer(config: HeadConfig, { weight }: Embedding): Linear {
  const { hiddenSize, vocabSize, initializerRange, tieWordEmbeddings } = config;
  if (tieWordEmbeddings) return new Linear(hiddenSize, vocabSize, { bias: false, weight });
  return normalLinear(hiddenSize, vocabSize, initializerRange);
}

/** Logits of the next token, and their loss where there are labels. */
export function languageModelOutput<Cache>(
  base: { forward(inputs: DecoderInputs<Cache>): DecoderOutput<Cache> },
  head: Linear,
  { labels, ...inputs }: CausalLMInputs<Cache>,
): CausalLMOutput<Cache> {
  const { lastHiddenState, ...others } = base.forward(inputs);
  const logits = head.forward(lastHiddenState);
  const loss = labels === undefined ? {} : { loss: nextTokenLoss(logits, labels) };
  return { logits, ...loss, ...others };
}
