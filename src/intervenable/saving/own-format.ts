import { encodeSafetensors } from "../../formats/safetensors/safetensors-writer.ts";
import { compute } from "../../formats/computed.ts";
import { fail } from "../../interventions/errors.ts";
import { type AnyInterventionClass, Intervention } from "../../interventions/intervention.ts";
import { interventionName } from "../../interventions/names.ts";
import { interventionNamed } from "../../interventions/registry.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { VERSION } from "../../base/version.ts";
import type { InterventionLike } from "../config/intervention-kind.ts";
import type { Blueprint, Part } from "./blueprint.ts";
import {
  FORMAT,
  type Manifest,
  type SavedClass,
  type SavedIntervention,
  type SavedPlace,
} from "./manifest.ts";
import type { ReadState } from "./intervention-state.ts";
import { factsOf } from "./model-facts.ts";
import { decodeOptions, encodeOptions } from "./option-values.ts";
import { classOf, remade, type SavedModel } from "./saved-model.ts";

/** A manifest without checksums, and the tensors that it names. */
export interface OwnContent {
  readonly manifest: Omit<Manifest, "files">;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** @throws InterventionError for options that cannot be stored. */
export function ownContent(op: string, { model, mode, about, places }: SavedModel): OwnContent {
  const tensors = new Map<string, Tensor>();
  const unique = [...new Set(places.map(({ intervention }) => intervention))];
  const given = new Set(
    places.flatMap(({ representation: { intervention } }) =>
      typeof intervention === "function" ? [] : [intervention],
    ),
  );
  const saveClass = (kind: AnyInterventionClass, options: object, path: string): SavedClass => ({
    class: interventionName(kind),
    options: encodeOptions(options, path, { op: `${op}: ${interventionName(kind)}`, tensors }),
  });
  const interventions = unique.map((intervention, i): SavedIntervention => {
    const own = Intervention.optionsOf(intervention);
    const made = given.has(intervention)
      ? { made: saveClass(classOf(intervention), own, `${i}.made`) }
      : {};
    return { ...made, ...saveState(intervention, String(i), tensors) };
  });
  const representations = places.map((place, i): SavedPlace => {
    const { intervention, options, key: _key, name, isNamed, ...places } = place.representation;
    const fields = isNamed ? { name, ...places } : places;
    const named = { op: `${op}: ${name}`, tensors };
    return {
      name,
      fields: encodeOptions(fields, `place.${i}`, named),
      ...(typeof intervention === "function"
        ? { kind: saveClass(intervention, options, `place.${i}.options`) }
        : {}),
      intervention: unique.indexOf(place.intervention),
      ...(place.unitDim === undefined ? {} : { unitDim: place.unitDim }),
    };
  });
  const library = `tsvene ${VERSION}`;
  const manifest = { format: FORMAT, library, model: factsOf(model), mode, ...(about && { about }), representations, interventions }; // prettier-ignore
  return { manifest, tensors };
}

function saveState(
  intervention: Intervention,
  path: string,
  tensors: Map<string, Tensor>,
): Pick<SavedIntervention, "state" | "trained"> {
  const entries = Object.entries(intervention.stateDict()).map(([name, tensor]) => {
    tensors.set(`${path}.${name}`, tensor);
    return [name, `${path}.${name}`];
  });
  const trained = [...intervention.namedParameters()].filter(
    ([, { requiresGrad }]) => requiresGrad,
  );
  return { state: Object.fromEntries(entries), trained: trained.map(([name]) => name) };
}

/** The tensors as a safetensors file. */
export async function encodeTensors(
  op: string,
  tensors: ReadonlyMap<string, Tensor>,
): Promise<Uint8Array> {
  await compute(op, tensors);
  const raw = [...tensors].map(async ([name, tensor]) => {
    const { dtype, shape } = tensor;
    return [name, { dtype, shape, data: await tensor.data() }] as const;
  });
  return encodeSafetensors(new Map(await Promise.all(raw)), { format: "pt" });
}

/** What reading needs beside the manifest. */
export interface OwnReading {
  /** What messages begin with. */
  readonly op: string;
  readonly location: string;
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** What replaces what the files say, by name. */
  readonly replaced: Readonly<Record<string, InterventionLike>>;
}

/** @throws InterventionError for classes that are not known, and tensors that are not there. */
export function readOwn(manifest: Manifest, reading: OwnReading): Blueprint {
  const { op, tensors, location, replaced } = reading;
  const { mode, about, model: madeFor } = manifest;
  const optionsOf = ({ class: name, options }: SavedClass): Record<string, unknown> =>
    decodeOptions(options, { op: `${op}: ${name}`, tensors });
  const made = new Map<number, Intervention>();
  const makeOnce = (number: number, saved: SavedClass): Intervention => {
    const known = made.get(number) ?? remade(interventionNamed(op, saved.class), optionsOf(saved));
    made.set(number, known);
    return known;
  };
  const parts = manifest.representations.map(
    ({ name, fields, kind, intervention, unitDim }): Part => {
      const saved = manifest.interventions[intervention];
      if (saved === undefined) {
        fail(op, `${name} has intervention ${intervention}, which is not there`);
      }
      const place = decodeOptions(fields, { op: `${op}: ${name}`, tensors });
      const instead = Object.hasOwn(replaced, name) ? replaced[name] : undefined;
      if (instead !== undefined) {
        return { called: name, place, what: { instance: instead } };
      }
      const { trained } = saved;
      const state = { tensors: stateOf(op, saved, tensors), trained, keepsDTypes: true };
      const stateFor = (): ReadState => state;
      if (kind !== undefined) {
        const what = { class: interventionNamed(op, kind.class), options: optionsOf(kind) };
        return { called: name, place, what, stateFor, unitDim };
      }
      if (saved.made === undefined) fail(op, `${name} says no intervention: the file is damaged`);
      return {
        called: name,
        place,
        what: { instance: makeOnce(intervention, saved.made) },
        stateFor,
        unitDim,
      };
    },
  );
  return { location, mode, about, madeFor, parts };
}

function stateOf(
  op: string,
  { state }: SavedIntervention,
  tensors: ReadonlyMap<string, Tensor>,
): ReadonlyMap<string, Tensor> {
  return new Map(
    Object.entries(state).map(([name, stored]) => [
      name,
      tensors.get(stored) ?? fail(op, `there is no tensor ${JSON.stringify(stored)}`),
    ]),
  );
}
