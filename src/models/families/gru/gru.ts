import { fail } from "../../../nn/errors.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { Linear } from "../../../nn/layers/linear.ts";
import { GRUStep } from "../../../nn/layers/recurrent/gru-step.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { where } from "../../../tensor/functions/arithmetic.ts";
import { zeros } from "../../../tensor/functions/creation.ts";
import { stack } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ComponentSpec, ModelCard } from "../../model/card.ts";
import { CausalLanguageModel } from "../../model/causal-language-model.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import { paddingOf } from "../../model/mask.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { addPositions, embedInputs } from "../../parts/embed-inputs.ts";
import {
  classified,
  lastOf,
  nextTokenLoss,
  PROBLEM_TYPES,
  type ProblemType,
} from "../../parts/heads.ts";
import type {
  BaseOutput,
  CausalLMInputs,
  CausalLMOutput,
  DecoderInputs,
  SequenceClassifierOutput,
} from "../../parts/outputs.ts";
import type { ModelConfig } from "../../settings/config.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import { count, flag, fraction, nonNegative, oneOf, whole, width } from "../../settings/kinds.ts";

/** Settings of pyvene's GRU, with its meanings and defaults. */
export interface GRUConfig extends ModelConfig {
  /** Whether there are embeddings of tokens and of positions. */
  readonly includeEmb: boolean;
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize: number;
  /** Longest text that positions are there for. */
  readonly maxPositionEmbeddings: number;
  /** Layers. */
  readonly nLayer: number;
  /** Width of inputs and states. */
  readonly hDim: number;
  /** Classes of a classifier. */
  readonly nLabels: number;
  /** Whether linear layers have a bias. */
  readonly includeBias: boolean;
  /** Kept for checkpoints: the model has no dropout. */
  readonly pdrop: number;
  readonly problemType: ProblemType | null;
  /** Standard deviation that embeddings start with. */
  readonly initializerRange: number;
}

const SETTINGS = defineSettings<GRUConfig>({
  name: "GRUConfig",
  modelType: "gru",
  rows: {
    includeEmb: flag(false),
    vocabSize: width(50257),
    maxPositionEmbeddings: width(512),
    nLayer: count(2),
    hDim: width(512),
    nLabels: whole(2),
    includeBias: flag(true),
    pdrop: fraction(0.3),
    problemType: oneOf([...PROBLEM_TYPES, null], "single_label_classification"),
    initializerRange: nonNegative(0.02),
  },
  numbered: [{ path: "cells", setting: "nLayer" }],
  shapes: ({ hDim }) => ({
    "wte.weight": ["vocabSize", "hDim"],
    "wpe.weight": ["maxPositionEmbeddings", "hDim"],
    "cells.0.x2h.weight": [["3 * hDim", 3 * hDim], "hDim"],
    "cells.0.h2h.weight": [["3 * hDim", 3 * hDim], "hDim"],
  }),
});

/**
 * Settings of a GRU: those given over pyvene's defaults.
 * @throws ModelError for settings that cannot be.
 */
export function gruConfig(given: Partial<GRUConfig> = {}): GRUConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of pyvene's GRUs are read. */
const gruFamily: ModelFamily<GRUConfig> = declareFamily(SETTINGS, {
  basePrefix: "gru",
});

/** Components of a GRU's layers, each [batch, width] at every time step. */
type GRUComponent =
  | "cell_input"
  | "cell_output"
  | "reset_gate_input"
  | "reset_gate_output"
  | "update_gate_input"
  | "update_gate_output"
  | "new_gate_input"
  | "new_gate_output"
  | "x2h_output"
  | "reset_x2h_output"
  | "update_x2h_output"
  | "new_x2h_output"
  | "h2h_output"
  | "reset_h2h_output"
  | "update_h2h_output"
  | "new_h2h_output";

type Spec = ComponentSpec<GRUConfig>;

const streamWidth = ({ hDim }: GRUConfig): number => hDim;

/** A value of a cell at each step. */
const at = (path: string, side: "input" | "output"): Spec => ({
  path: `cells.{layer}${path}`,
  side,
  recurrent: true,
  dimension: streamWidth,
});

/** A third of what a projection gives: for the reset gate, the update gate and the new state. */
const third = (projection: string, index: number): Spec => ({
  ...at(projection, "output"),
  part: { index, of: 3 },
});

const fused = (projection: string): Spec => ({
  ...at(projection, "output"),
  dimension: ({ hDim }) => 3 * hDim,
});

/** Where the components of pyvene's GRU are, within the model without a head. */
const gruCard: ModelCard<GRUConfig, GRUComponent> = {
  layers: ({ nLayer }) => nLayer,
  components: {
    cell_input: at("", "input"),
    cell_output: at("", "output"),
    reset_gate_input: at(".reset_act", "input"),
    reset_gate_output: at(".reset_act", "output"),
    update_gate_input: at(".update_act", "input"),
    update_gate_output: at(".update_act", "output"),
    new_gate_input: at(".new_act", "input"),
    new_gate_output: at(".new_act", "output"),
    x2h_output: fused(".x2h"),
    reset_x2h_output: third(".x2h", 0),
    update_x2h_output: third(".x2h", 1),
    new_x2h_output: third(".x2h", 2),
    h2h_output: fused(".h2h"),
    reset_h2h_output: third(".h2h", 0),
    update_h2h_output: third(".h2h", 1),
    new_h2h_output: third(".h2h", 2),
  },
};

/** The state of each layer after the last step, [batch, hDim]. */
export type GRUState = readonly Tensor[];

/** Outputs of a GRU without a head, as pyvene names them. */
export interface GRUOutput extends BaseOutput {
  /** [batch, steps, hDim]: the top layer's state after each step. */
  readonly allHiddenStates: Tensor;
  /** [batch, hDim]: the top layer's state after the last step. */
  readonly lastHiddenState: Tensor;
  /** What a next call needs of this one; see `pastKeyValues` of the inputs. */
  readonly pastKeyValues: GRUState;
}

/** One layer, run once for each time step: its call number is the step. */
class GRUCell extends GRUStep<Linear> {
  constructor({ hDim, includeBias: bias }: GRUConfig) {
    super([new Linear(hDim, 3 * hDim, { bias }), new Linear(hDim, 3 * hDim, { bias })]);
  }
}

/** pyvene's GRU without a head: layers of cells that advance together, step by step. */
export class GRUModel extends PreTrainedModel {
  static readonly family: ModelFamily<GRUConfig> = gruFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<GRUConfig, GRUComponent> = gruCard;
  declare readonly "~components": GRUComponent;
  readonly config: GRUConfig;
  /** The token embedding. */
  readonly wte: Embedding | undefined;
  /** The embedding of positions. */
  readonly wpe: Embedding | undefined;
  /** The cells, one a layer. */
  readonly cells: ModuleList<GRUCell>;

  constructor(config: Partial<GRUConfig> = {}) {
    super();
    const full = gruConfig(config);
    this.config = full;
    const { includeEmb, vocabSize, maxPositionEmbeddings, hDim, nLayer } = full;
    const std = full.initializerRange;
    this.wte = includeEmb ? new Embedding(vocabSize, hDim, { std }) : undefined;
    this.wpe = includeEmb ? new Embedding(maxPositionEmbeddings, hDim, { std }) : undefined;
    this.cells = new ModuleList(Array.from({ length: nLayer }, () => new GRUCell(full)));
  }

  /** Padding, where `attentionMask` says there is some, leaves the states as they are. */
  override forward(inputs: DecoderInputs<GRUState>): GRUOutput {
    const tokens = embedInputs("GRUModel", inputs, this.wte);
    const x = addPositions("GRUModel", tokens, inputs.positionIds, this.wpe);
    const [batch = 0, steps = 0] = x.shape;
    if (steps === 0) fail("GRUModel", "the sequence is empty; give at least one step");
    const real = inputs.attentionMask?.slice(1, -steps).to("bool");
    let state: GRUState =
      inputs.pastKeyValues ?? [...this.cells].map(() => zeros([batch, this.config.hDim]));
    const top: Tensor[] = [];
    for (let t = 0; t < steps; t++) {
      state = this.#step(x.select(1, t), state, real?.slice(1, t, t + 1));
      top.push(...state.slice(-1));
    }
    const allHiddenStates = stack(top, 1);
    return {
      allHiddenStates,
      lastHiddenState: allHiddenStates.select(1, -1),
      hiddenStates: [allHiddenStates],
      pastKeyValues: state,
    };
  }

  /** @param real [batch, 1] */
  #step(x: Tensor, state: GRUState, real: Tensor | undefined): GRUState {
    let input = x;
    return [...this.cells].map((cell, layer) => {
      const old = state[layer] ?? fail("GRUModel", `pastKeyValues has no state of layer ${layer}`);
      const output = cell.forward(input, old);
      input = real === undefined ? output : where(real, output, old);
      return input;
    });
  }
}

/** pyvene's GRU with a linear classifier on the state after the last real step. */
export class GRUForClassification extends PreTrainedModel {
  static readonly family: ModelFamily<GRUConfig> = gruFamily;
  static readonly auto = "AutoModelForSequenceClassification";
  declare readonly "~components": GRUComponent;
  readonly config: GRUConfig;
  /** The model without a head. */
  readonly gru: GRUModel;
  /** [..., hidden] -> [..., labels]: the classifier. */
  readonly score: Linear;

  constructor(config: Partial<GRUConfig> = {}) {
    super();
    this.gru = new GRUModel(config);
    this.config = this.gru.config;
    this.score = new Linear(this.config.hDim, this.config.nLabels, { bias: false });
  }

  /** `labels` [batch]: class ids, or what `problemType` says. */
  override forward(
    inputs: DecoderInputs<GRUState> & { readonly labels?: Tensor },
  ): SequenceClassifierOutput & Pick<GRUOutput, "allHiddenStates" | "lastHiddenState"> {
    const { labels, attentionMask, ...rest } = inputs;
    // Padding after a text is read too, as in pyvene, but not looked at.
    const isRead = attentionMask === undefined || paddingOf(attentionMask) === "after";
    const read = isRead ? rest : { ...rest, attentionMask };
    const { allHiddenStates, lastHiddenState, hiddenStates } = this.gru.forward(read);
    const pooled =
      attentionMask === undefined
        ? lastHiddenState
        : lastOf(allHiddenStates, attentionMask.to("bool"));
    const logits = this.score.forward(pooled);
    const output = classified(logits, labels, this.config, { hiddenStates, attentions: [] });
    return { ...output, allHiddenStates, lastHiddenState };
  }
}

/** pyvene's GRU as a language model: logits of the next token. */
export class GRULMHeadModel extends CausalLanguageModel {
  static readonly family: ModelFamily<GRUConfig> = gruFamily;
  declare readonly "~components": GRUComponent;
  readonly config: GRUConfig;
  /** The model without a head. */
  readonly gru: GRUModel;
  /** [..., hidden] -> [..., vocabulary]: the logits. */
  readonly lm_head: Linear;

  constructor(config: Partial<GRUConfig> = {}) {
    super();
    this.gru = new GRUModel(config);
    this.config = this.gru.config;
    this.lm_head = new Linear(this.config.hDim, this.config.vocabSize, { bias: false });
  }

  /** None: positions are embedded only where they are given. */
  override get maxLength(): undefined {
    return undefined;
  }

  /** `labels` [batch, sequence]: the ids themselves (they are shifted here); -100 is left out. */
  override forward(
    inputs: CausalLMInputs<GRUState>,
  ): CausalLMOutput<GRUState> & Pick<GRUOutput, "allHiddenStates" | "lastHiddenState"> {
    const { labels, ...rest } = inputs;
    const outputs = this.gru.forward(rest);
    const logits = this.lm_head.forward(outputs.allHiddenStates);
    const loss = labels === undefined ? {} : { loss: nextTokenLoss(logits, labels) };
    return { logits, ...loss, ...outputs, attentions: [] };
  }
}
