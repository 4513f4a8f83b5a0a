import type { Tensor } from "../../../tensor/tensor.ts";
import { ModuleList } from "../../module-list.ts";
import { Module } from "../../module.ts";
import { LayerNorm } from "../layer-norm.ts";
import { requireSizes } from "../require-sizes.ts";
import { layerOptions, type TransformerLayerOptions } from "./feed-forward.ts";

/** Options of {@link TransformerEncoder}. */
export interface TransformerEncoderOptions extends TransformerLayerOptions {
  /** Whether there is a norm after the last layer. @default false */
  readonly norm?: boolean;
}

/** Layers of one kind, one after another, and a norm after the last one. */
export abstract class TransformerStack<Layer extends Module> extends Module {
  /** The layers, in order. */
  readonly layers: ModuleList<Layer>;
  /** The norm after the last layer; undefined without. */
  readonly norm: LayerNorm | undefined;

  /** @throws ModelError for sizes that are not whole numbers of 1 or more, and unknown options. */
  constructor(
    name: string,
    sizes: { readonly dModel: number; readonly nHead: number; readonly numLayers: number },
    { norm = false, ...rest }: TransformerEncoderOptions,
    make: (options: TransformerLayerOptions) => Layer,
  ) {
    super();
    requireSizes(name, sizes);
    const { layerNormEps: eps, bias } = layerOptions(name, rest);
    this.layers = new ModuleList(Array.from({ length: sizes.numLayers }, () => make(rest)));
    this.norm = norm ? new LayerNorm(sizes.dModel, { eps, bias }) : undefined;
  }

  /** What all layers and the norm make of `x`. */
  protected run(x: Tensor, through: (layer: Layer, y: Tensor) => Tensor): Tensor {
    const top = [...this.layers].reduce((y, layer) => through(layer, y), x);
    return this.norm?.forward(top) ?? top;
  }
}
