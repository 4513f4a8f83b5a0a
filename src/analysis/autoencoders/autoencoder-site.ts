import { fail } from "../../base/errors.ts";
import { didYouMean } from "../../base/nearest.ts";
import { resolveSite, type Site, widthAt } from "../../intervenable/sites/address.ts";
import { cardOf } from "../../models/model/bound-card.ts";
import type { ModulePath } from "../../models/model/component-names.ts";
import type { Module } from "../../nn/module.ts";
import type { SparseAutoencoder } from "./sparse-autoencoder.ts";

/** A place of a model, as a configuration of interventions has it. */
export interface AutoencoderSite {
  /** Number of the layer, from 0. Not used when `component` is a module path. @default 0 */
  readonly layer?: number;
  /** Name of a component, or a module path. */
  readonly component: string;
}

const OP = "autoencoderSite";

/** Components that are what TransformerLens calls these, in every family. */
const HOOKS: Readonly<Record<string, string>> = {
  hook_resid_pre: "block_input",
  hook_resid_post: "block_output",
  hook_attn_out: "attention_addition",
  hook_mlp_out: "mlp_addition",
  "attn.hook_z": "attention_value_output",
};

/**
 * Where an autoencoder belongs in a model, for a configuration of interventions: the place that its files name.
 * Hooks of TransformerLens are `blocks.{layer}.` and `hook_resid_pre`, `hook_resid_post`, `hook_attn_out`,
 * `hook_mlp_out` or `attn.hook_z`; other names are paths of modules, or their ends, and mean their output.
 *
 * @param site - A place to take instead.
 * @throws TsveneError for a name that is no place of the model, and a place of another width.
 *
 * @example
 * ```ts
 * import { autoencoderSite, GPT2LMHeadModel, SparseAutoencoder } from "tsvene";
 * const model = new GPT2LMHeadModel({ nLayer: 2, nEmbd: 8, nHead: 2, vocabSize: 16 });
 * const trainedOn = { hook: "blocks.1.hook_resid_pre" };
 * const sae = new SparseAutoencoder({ width: 8, latentDim: 32, trainedOn });
 * console.log(autoencoderSite(model, sae)); // { component: "transformer.h.1.input" }
 * ```
 */
export function autoencoderSite(
  model: Module,
  sae: SparseAutoencoder,
  site?: AutoencoderSite,
): { readonly component: ModulePath } {
  const { path, side } = resolveAutoencoderSite(OP, model, sae, site);
  return { component: `${path}.${side}` };
}

/** The module at an autoencoder's place. @throws TsveneError for a place of another width. */
export function resolveAutoencoderSite(
  op: string,
  model: Module,
  sae: SparseAutoencoder,
  site: AutoencoderSite = siteOfHook(model, sae.trainedOn.hook),
): Site {
  const card = cardOf(model);
  const { layer = 0, component } = site;
  const found = resolveSite(model, card, { layer, component });
  const { part, heads, headsFirst } = found.layout;
  if (part !== undefined || heads !== undefined || headsFirst) {
    fail(
      op,
      `${component} is a part of a tensor, or heads apart; an autoencoder reads whole rows, such as ` +
        "attention_value_output, which has all heads side by side",
    );
  }
  const width = found.width ?? widthAt(model, card, found);
  if (width === undefined || width === sae.width) return found;
  return fail(
    op,
    `the autoencoder is made for ${sae.width}, but ${component} of layer ${layer} is ${width} ` +
      `wide; it was trained on ${sae.trainedOn.model ?? "a model that its files do not name"}`,
  );
}

function siteOfHook(model: Module, hook: string | undefined): AutoencoderSite {
  if (hook === undefined) {
    return fail(OP, "the autoencoder does not say where it was trained; give { layer, component }");
  }
  const [, layer, name = ""] = /^blocks\.(\d+)\.(.+)$/.exec(hook) ?? [];
  if (layer !== undefined) {
    const component = Object.hasOwn(HOOKS, name) ? HOOKS[name] : undefined;
    if (component !== undefined) return { layer: Number(layer), component };
    return fail(
      OP,
      `${hook} is no place that is known; ${didYouMean(name, Object.keys(HOOKS))} Give the place: ` +
        `{ layer: ${layer}, component: "..." }`,
    );
  }
  const paths = [...model.namedModules()].map(([path]) => path);
  const found = paths.filter((path) => path === hook || path.endsWith(`.${hook}`));
  const [path] = found;
  if (path !== undefined && found.length === 1) return { layer: 0, component: `${path}.output` };
  const why = found.length === 0 ? "no module" : `${found.length} modules, ${found.join(", ")}`;
  return fail(OP, `${hook} names ${why} of ${model.constructor.name}; give { layer, component }`);
}
