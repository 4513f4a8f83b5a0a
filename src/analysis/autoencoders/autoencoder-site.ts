import { fail } from "../../base/errors.ts";
import { didYouMean } from "../../base/nearest.ts";
import { resolveSite, type Site, widthAt } from "../../intervenable/sites/address.ts";
import { cardOf } from "../../models/model/bound-card.ts";
import type { ModulePath } from "../../models/model/component-names.ts";
import type { Module } from "../../nn/module.ts";
import type { SparseAutoencoder } from "./sparse-autoencoder.ts";

/** A place of a model, as a configuration of interventions has it. */
export interface AutoencoderPlace {
  /** Number of the layer, from 0. Not used when `component` is a module path. @default 0 */
  readonly layer?: number;
  /** Name of a component, or a module path. */
  readonly component: string;
}

/** Where an autoencoder is in a model: the place that it decodes to, and that of a transcoder's input. */
export interface AutoencoderSite extends AutoencoderPlace {
  /** Of a transcoder, what it encodes. @default of the same layer what is not said */
  readonly source?: Partial<AutoencoderPlace>;
}

/** The places of an autoencoder, which are one for all but transcoders. */
export interface AutoencoderSites {
  /** What it encodes. */
  readonly reads: Site;
  /** What it decodes to. */
  readonly writes: Site;
}

/** The places, as a configuration of interventions has them. */
export interface AutoencoderAddress {
  /** What it decodes to. */
  readonly component: ModulePath;
  /** Of a transcoder, what it encodes. */
  readonly source?: { readonly component: ModulePath };
}

const OP = "autoencoderSite";

/** Components that are what TransformerLens calls these, in every family. */
const HOOKS: Readonly<Record<string, string>> = {
  hook_resid_pre: "block_input",
  hook_resid_post: "block_output",
  hook_attn_out: "attention_addition",
  hook_mlp_out: "mlp_addition",
  "mlp.hook_in": "mlp_input",
  "mlp.hook_out": "mlp_output",
  "attn.hook_z": "attention_value_output",
};

/** Where the names of TransformerLens do not say which representation is meant, and what to do. */
const UNCLEAR: Readonly<Record<string, string>> = {
  "ln2.hook_normalized":
    "what the MLP reads before the norm's weights, or with them, which depends on the model in the training. " +
    "Without them, take sae.withNorm(weight, bias) of that norm; with them, give the place",
};

/**
 * Where an autoencoder belongs in a model, for a configuration of interventions: the place that its files name,
 * and for a transcoder that of what it encodes, as `source`. Hooks of TransformerLens are `blocks.{layer}.` and
 * `hook_resid_pre`, `hook_resid_post`, `hook_attn_out`, `hook_mlp_out`, `mlp.hook_in`, `mlp.hook_out` or
 * `attn.hook_z`; other names are paths of modules, or their ends, and mean their output unless they end in
 * `.input`.
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
): AutoencoderAddress {
  const { reads, writes } = resolveAutoencoderSite(OP, model, sae, site);
  const component = pathOf(writes);
  return sae.transcodes ? { component, source: { component: pathOf(reads) } } : { component };
}

function pathOf({ path, side }: Site): ModulePath {
  return `${path}.${side}`;
}

/** The modules at an autoencoder's places. @throws TsveneError for a place of another width. */
export function resolveAutoencoderSite(
  op: string,
  model: Module,
  sae: SparseAutoencoder,
  site?: AutoencoderSite,
): AutoencoderSites {
  const { hook, hookOut } = sae.trainedOn;
  if (!sae.transcodes) {
    if (site?.source !== undefined) {
      fail(op, "site.source is where a transcoder reads; this autoencoder decodes what it encodes");
    }
    const writes = resolvePlace(op, model, sae, {
      place: site ?? placeOfHook(model, hook),
      width: sae.width,
    });
    return { reads: writes, writes };
  }
  if (site !== undefined && site.source === undefined) {
    fail(
      op,
      'a transcoder encodes another place than it decodes to: site: { layer, component: "mlp_output", ' +
        'source: { component: "mlp_input" } }',
    );
  }
  return {
    reads: resolvePlace(op, model, sae, {
      place: site === undefined ? placeOfHook(model, hook) : { ...site, ...site.source },
      width: sae.inputWidth,
    }),
    writes: resolvePlace(op, model, sae, {
      place: site ?? placeOfHook(model, hookOut),
      width: sae.width,
    }),
  };
}

/** A place, and how wide it is to be. */
interface WantedPlace {
  readonly place: AutoencoderPlace;
  readonly width: number;
}

function resolvePlace(
  op: string,
  model: Module,
  sae: SparseAutoencoder,
  { place: { layer = 0, component }, width: wanted }: WantedPlace,
): Site {
  const card = cardOf(model);
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
  if (width === undefined || width === wanted) return found;
  return fail(
    op,
    `the autoencoder is made for ${wanted}, but ${component} of layer ${layer} is ${width} ` +
      `wide; it was trained on ${sae.trainedOn.model ?? "a model that its files do not name"}`,
  );
}

function placeOfHook(model: Module, hook: string | undefined): AutoencoderPlace {
  if (hook === undefined) {
    return fail(OP, "the autoencoder does not say where it was trained; give { layer, component }");
  }
  const [, layer, name = ""] = /^blocks\.(\d+)\.(.+)$/.exec(hook) ?? [];
  if (layer !== undefined) {
    const component = Object.hasOwn(HOOKS, name) ? HOOKS[name] : undefined;
    if (component !== undefined) return { layer: Number(layer), component };
    const place = `{ layer: ${layer}, component: "..." }`;
    if (Object.hasOwn(UNCLEAR, name)) fail(OP, `${hook} is ${UNCLEAR[name]}: ${place}`);
    return fail(
      OP,
      `${hook} is no place that is known; ${didYouMean(name, Object.keys(HOOKS))} Give the place: ${place}`,
    );
  }
  const [, module = hook, side = "output"] = /^(.*)\.(input|output)$/.exec(hook) ?? [];
  const paths = [...model.namedModules()].map(([path]) => path);
  const found = paths.filter((path) => path === module || path.endsWith(`.${module}`));
  const [path] = found;
  if (path !== undefined && found.length === 1) return { layer: 0, component: `${path}.${side}` };
  const why = found.length === 0 ? "no module" : `${found.length} modules, ${found.join(", ")}`;
  return fail(OP, `${hook} names ${why} of ${model.constructor.name}; give { layer, component }`);
}
