import { fail } from "../../base/errors.ts";
import { callModel } from "../../intervenable/call/trace.ts";
import type { Module } from "../../nn/module.ts";
import { EditScope } from "../../nn/scope.ts";
import { Tensor } from "../../tensor/tensor.ts";
import {
  isSumOf,
  linearBefore,
  normBefore,
  type TracedLinear,
  type TracedNorm,
  upstreamUntil,
} from "./graph-reading.ts";
import {
  isEdge,
  receiversOf,
  type ResidualNode,
  type ResidualShape,
  sendersOf,
} from "./residual-nodes.ts";
import {
  type LayerPlace,
  layerSites,
  type LayerSites,
  PLACES,
  readPlace,
  writePlace,
} from "./residual-sites.ts";

/** What one layer did in a traced pass. */
export interface TracedLayer {
  /** The tensors at its places, whole. */
  readonly at: { readonly [K in LayerPlace]: Tensor };
  /** What the layer was given beside its input. */
  readonly context: readonly unknown[];
  /** From the mixed values of all heads, side by side, to the width of the stream. */
  readonly output: TracedLinear;
  /** The norm that is taken of the attention's output before it is added; undefined without one. */
  readonly norm: TracedNorm | undefined;
  /** Whether the MLP reads what the attention reads, and not what it wrote. */
  readonly isParallel: boolean;
  /** The residual stream where the MLP reads it: tensors of the same numbers. */
  readonly read: readonly Tensor[];
}

/** A traced pass of a model. Nothing is computed yet. */
export interface TracedResidual {
  /** What the model gave. */
  readonly result: unknown;
  /** What the first layer was given, [batch, position, width]. */
  readonly input: Tensor;
  /** What the last layer gave, [batch, position, width]. */
  readonly final: Tensor;
  readonly layers: readonly TracedLayer[];
}

/** What is at the places of a layer that was run by itself, as {@link readPlace} gives it. */
export type LayerValues = { readonly [K in LayerPlace]: Tensor };

/** What is put at a place of a traced pass, in the place of the tensor there. */
export type PlaceEdit = (layer: number, place: LayerPlace, value: Tensor) => Tensor | undefined;

/** How a layer is run by itself. */
export interface LayerRun {
  /** What it is given, [batch, position, width]. */
  readonly input: Tensor;
  /** What is put at its places: as {@link readPlace} gives it. */
  readonly edits?: { readonly [K in LayerPlace]?: Tensor };
}

/**
 * The residual stream of a model: what writes to it and what reads it. Found by the components of the
 * model's card, and held to what a traced pass computes: each layer gives the sum of its input, of what its
 * attention adds and of what its MLP adds.
 */
export class ResidualStream implements ResidualShape {
  readonly model: Module;
  readonly layers: ResidualShape["layers"];
  /** What writes to it, in order. */
  readonly senders: readonly ResidualNode[];
  /** What reads it, in order. */
  readonly receivers: readonly ResidualNode[];
  readonly #op: string;
  readonly #sites: readonly LayerSites[];

  /**
   * @param inputs - Of which a pass is traced; nothing is computed.
   * @throws TsveneError for a model that has no such stream, which says why.
   */
  constructor(op: string, model: Module, inputs: unknown) {
    this.#op = op;
    this.model = model;
    this.#sites = layerSites(op, model);
    const { layers } = this.trace(inputs);
    this.layers = layers.map(({ isParallel }, i) => ({
      heads: this.#sites[i]?.mixed.layout.heads ?? 1,
      keyHeads: this.#sites[i]?.k.layout.heads ?? 1,
      isParallel,
    }));
    this.senders = sendersOf(this);
    this.receivers = receiversOf(this);
  }

  /** Whether a receiver reads what a sender wrote. */
  hasEdge(sender: ResidualNode, receiver: ResidualNode): boolean {
    return isEdge(this, sender, receiver);
  }

  /**
   * Traces a pass.
   * @param edit - What goes on from a place, whole; undefined for what is there. @default nothing is edited
   */
  trace(inputs: unknown, edit?: PlaceEdit): TracedResidual {
    const scope = new EditScope();
    const found = this.#sites.map(() => new Map<LayerPlace, Tensor>());
    const contexts: (readonly unknown[])[] = [];
    this.#sites.forEach((sites, layer) => {
      for (const place of PLACES) {
        const { module, side } = sites[place];
        scope.on(module, side, (value, { args }) => {
          if (found[layer]?.has(place) === true) this.#refuse(`layer ${layer} runs twice`);
          const edited = edit?.(layer, place, value);
          found[layer]?.set(place, edited ?? value);
          if (place === "input") contexts[layer] = args.slice(1);
          return edited;
        });
      }
    });
    const result = scope.run(() => callModel(this.model, inputs));
    const layers = found.map((at, layer) => this.#layer(layer, at, contexts[layer] ?? []));
    this.#requireChain(layers, result);
    const [input, final] = [layers[0]?.at.input, layers.at(-1)?.at.output];
    if (input === undefined || final === undefined) return this.#refuse("it has no layers");
    return { result, input, final, layers };
  }

  /**
   * Traces a layer by itself, with the context that it had in a pass of as many rows.
   * @returns What is at its places, as {@link readPlace} gives it.
   */
  runLayer(pass: TracedResidual, layer: number, { input, edits = {} }: LayerRun): LayerValues {
    const sites = this.sitesAt(layer);
    const scope = new EditScope();
    const found: { [K in LayerPlace]?: Tensor } = {};
    for (const place of PLACES) {
      const site = sites[place];
      scope.on(site.module, site.side, (value) => {
        const { [place]: own } = edits;
        found[place] = own ?? readPlace(value, site);
        return own && writePlace(value, own, site);
      });
    }
    const module = sites.input.module as unknown as { forward(...args: unknown[]): unknown };
    scope.run(() => module.forward(input, ...(pass.layers[layer]?.context ?? [])));
    return found as LayerValues;
  }

  /** Traces what the model makes of another final state, [batch, position, width]. */
  finish(inputs: unknown, final: Tensor): unknown {
    const { module, side } = this.sitesAt(this.layers.length - 1).output;
    return new EditScope().on(module, side, () => final).run(() => callModel(this.model, inputs));
  }

  /** What a layer did in a pass. */
  layerOf({ layers }: TracedResidual, layer: number): TracedLayer {
    return layers[layer] ?? this.#refuse(`it has no layer ${layer}`);
  }

  /** {@link readPlace} of a tensor at a place, or of its gradient. */
  readAt(layer: number, place: LayerPlace, value: Tensor): Tensor {
    return readPlace(value, this.sitesAt(layer)[place]);
  }

  /** What the heads of a layer mixed, [batch, position, heads, width]. */
  mixed(pass: TracedResidual, layer: number): Tensor {
    const { at } = this.layerOf(pass, layer);
    return this.readAt(layer, "mixed", at.mixed);
  }

  /** Where the places of a layer are. */
  sitesAt(layer: number): LayerSites {
    return this.#sites[layer] ?? this.#refuse(`it has no layer ${layer}`);
  }

  #layer(
    layer: number,
    found: ReadonlyMap<LayerPlace, Tensor>,
    context: readonly unknown[],
  ): TracedLayer {
    const missing = PLACES.find((place) => !found.has(place));
    if (missing !== undefined) {
      const { path, side } = this.sitesAt(layer)[missing];
      return this.#refuse(`${path}.${side} is not reached`);
    }
    const at = Object.fromEntries(found) as TracedLayer["at"];
    if (!isSumOf(at.output, [at.input, at.attention, at.mlp])) {
      this.#refuse(
        `layer ${layer} does not give the sum of its input, attention_addition and mlp_addition, as where ` +
          "a norm is taken of the sum, or a layer adds to what was normed",
      );
    }
    const norm = normBefore(at.attention);
    const output = linearBefore(norm?.of ?? at.attention);
    if (output?.of !== at.mixed) {
      this.#refuse(
        `layer ${layer} does not add a linear function of its heads' values, or a norm of it`,
      );
    }
    return { at, context, output, norm, ...this.#readByMlp(layer, at) };
  }

  #readByMlp(
    layer: number,
    { input, attention, mlp }: TracedLayer["at"],
  ): Pick<TracedLayer, "isParallel" | "read"> {
    const isMiddle = (t: Tensor): boolean => isSumOf(t, [input, attention]);
    const isEnd = (t: Tensor): boolean => t === input || t === attention || isMiddle(t);
    const read = [...upstreamUntil(mlp, isEnd)].filter(isEnd);
    if (read.length > 0 && read.every((t) => t === input)) return { isParallel: true, read };
    if (read.length > 0 && read.every(isMiddle)) return { isParallel: false, read };
    return this.#refuse(`the MLP of layer ${layer} reads something else than the residual stream`);
  }

  /** Layers read each other, and nothing passes them by. */
  #requireChain(layers: readonly TracedLayer[], result: unknown): void {
    layers.forEach(({ at }, i) => {
      const before = layers[i - 1]?.at.output;
      if (before !== undefined && at.input !== before) {
        this.#refuse(`something stands between layers ${i - 1} and ${i}`);
      }
    });
    const [first, last] = [layers[0]?.at.input, layers.at(-1)?.at.output];
    const { logits } = (result ?? {}) as { readonly logits?: unknown };
    const read = result instanceof Tensor ? result : logits;
    if (!(read instanceof Tensor) || first === undefined || last === undefined) return;
    if (upstreamUntil(read, (t) => t === last).has(first)) {
      this.#refuse("its logits also read something else than what the last layer gives");
    }
  }

  #refuse(why: string): never {
    const hint = this.model.training
      ? "; it is in training mode, with dropout: call eval() first"
      : "";
    return fail(
      this.#op,
      `${this.model.constructor.name}: ${why}, so that no residual stream can be taken apart${hint}`,
    );
  }
}
