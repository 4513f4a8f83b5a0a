import type { Module } from "../../nn/module.ts";
import { grad } from "../../tensor/autograd.ts";
import { zerosLike } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ContrastBatch, ContrastSide } from "../data/contrast-data.ts";
import type { ContrastMetric } from "../metrics/contrast-metric.ts";
import { traceMetric } from "../metrics/traced-metric.ts";
import type { AutoencoderSites } from "./autoencoder-site.ts";
import { traceSite } from "./read-latents.ts";
import type { SparseAutoencoder } from "./sparse-autoencoder.ts";

/** What is attributed. */
export interface EffectRun {
  readonly op: string;
  readonly model: Module;
  readonly sae: SparseAutoencoder;
  readonly sites: AutoencoderSites;
  readonly metric: Required<ContrastMetric>;
  /** The input that is run. */
  readonly side: ContrastSide;
  /** The input whose latents it is compared with; undefined for none. */
  readonly other: ContrastSide | undefined;
}

/** Traced effects of some pairs. */
export interface TracedEffects {
  /** [batch, positions, latents], as what follows. */
  readonly activations: Tensor;
  readonly effects: Tensor;
  /** [batch, positions], as what follows. */
  readonly error: Tensor;
  readonly bias: Tensor;
  readonly total: Tensor;
}

/**
 * Traces what latents add to a metric, by its gradient g at the place that they decode to: z W_dec · g, with the
 * scale of the representation held. Of two runs, the difference of their latents takes the place of z.
 */
export function traceEffects(
  { op, model, sae, sites, metric, side, other }: EffectRun,
  batch: ContrastBatch,
): TracedEffects {
  const { output, x, y } = traceSite(op, model, sites, batch[side]);
  const { values } = traceMetric({ op, model, metric, batch, side, output });
  const [gradient] = grad(values.sum(), [y]);
  const g = gradient.detach();
  const along = (t: Tensor): Tensor => t.mul(g).sum({ dim: -1 });
  const z = sae.encode(x).detach();
  const decoded = sae.decode(z, x.detach());
  const [perLatent] = grad(decoded.mul(g).sum(), [z]);
  if (other !== undefined) {
    const there = traceSite(op, model, sites, batch[other]);
    const dz = sae.encode(there.x).sub(z);
    const effects = dz.mul(perLatent);
    const total = along(there.y.sub(y));
    const bias = along(sae.skipped(there.x.sub(x)));
    const error = total.sub(effects.sum({ dim: -1 })).sub(bias);
    return { activations: z, effects, error, bias, total };
  }
  const effects = z.mul(perLatent);
  const bias = along(sae.decode(zerosLike(z), x.detach()));
  return { activations: z, effects, error: along(y.sub(decoded)), bias, total: along(y) };
}
