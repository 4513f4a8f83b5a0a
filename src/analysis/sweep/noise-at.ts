import { fail } from "../../base/errors.ts";
import type { RepresentationConfig } from "../../intervenable/config/representation-config.ts";
import { ConfiguredIntervention } from "../../interventions/configured-intervention.ts";
import { NoiseIntervention } from "../../interventions/noise.ts";
import { cardOf } from "../../models/model/bound-card.ts";
import type { Module } from "../../nn/module.ts";
import { stack } from "../../tensor/functions/shaping.ts";
import { randn } from "../../tensor/random/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { childGenerator } from "../../training/data/child-generator.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import type { NoiseCorruption } from "./sweep-options.ts";
import { positionsOf, type Row } from "./sweep-places.ts";

/** What a sweep's noise is added to: what enters the first layer. */
const COMPONENT = "block_input";
const NAME = "noise";
const OP = "sweep";

/** An intervention that adds a row's noise, and where. */
export interface AddedNoise {
  readonly name: string;
  readonly representation: RepresentationConfig;
  /** For each row, its positions. */
  readonly locations: readonly (readonly (number | string)[])[];
}

/**
 * The noise of some rows. A pair's n-th draw has the same noise in every cell.
 * @throws TsveneError for a model whose first layer's input is not known, and for pairs whose positions are
 * not as many.
 */
export function noiseAt(
  model: Module,
  data: ContrastData,
  { position, scale, seed = 0 }: NoiseCorruption,
  rows: readonly Row[],
): AddedNoise {
  const width = cardOf(model)?.components.get(COMPONENT)?.dimension;
  if (width === undefined) {
    return fail(OP, `corruption: ${model.constructor.name} names no ${COMPONENT} of a known width`);
  }
  const locations = rows.map(({ pair }) => positionsOf(data, position, pair, "clean"));
  const count = locations[0]?.length ?? 0;
  const other = locations.findIndex(({ length }) => length !== count);
  if (other >= 0) {
    fail(
      OP,
      `corruption: pair ${rows[0]?.pair} has ${count} positions ${position}, but pair ` +
        `${rows[other]?.pair} has ${locations[other]?.length}; sweep pairs of as many together`,
    );
  }
  const drawn = new Map<string, Tensor>();
  const noiseOf = ({ pair, draw }: Row): Tensor => {
    const key = `${pair} ${draw}`;
    const known = drawn.get(key);
    if (known !== undefined) return known;
    const made = randn([count, width], { generator: childGenerator(seed, pair, draw) });
    drawn.set(key, made);
    return made;
  };
  const noise = stack(rows.map(noiseOf));
  const intervention = new ConfiguredIntervention(NoiseIntervention, { noise, noiseLevel: scale });
  const representation = { name: NAME, layer: 0, component: COMPONENT, unit: "pos", intervention };
  return { name: NAME, representation: representation as RepresentationConfig, locations };
}
