import {
  grad,
  type IntervenableModel,
  type Intervention,
  type RotateLayer,
  type Tensor,
} from "tsvene";
import { type Fields, type Tensors } from "./intervention-config.ts";

/** Recorded tensors whose names start with a prefix and a dot, under the rest of their names. */
export function tensorsAt(prefix: string, tensors: Tensors): ReadonlyMap<string, Tensor> {
  const found = [...tensors].filter(([name]) => name.startsWith(`${prefix}.`));
  return new Map(found.map(([name, t]) => [name.slice(prefix.length + 1), t]));
}

/** Constructor arguments that were recorded as state. */
export function recordedOptions(state: Tensors): Fields {
  const names = { pca_components: "components", pca_mean: "mean", pca_std: "std", noise: "noise" };
  return Object.fromEntries(
    Object.entries(names).flatMap(([name, option]) => {
      const value = state.get(name);
      return value === undefined ? [] : [[option, value]];
    }),
  );
}

/** Gives an intervention its recorded dimensions and state, every name of it. */
export function takeState(intervention: Intervention, dims: unknown, state: Tensors): void {
  if (typeof dims === "number" || Array.isArray(dims)) {
    intervention.setInterchangeDim(dims as number | readonly number[]);
  }
  if (state.size === 0) return;
  const own = Object.entries(intervention.stateDict());
  const dimensions = own.filter(([name]) => /^(embed|interchange)_dim$/.test(name));
  intervention.loadStateDict({ ...Object.fromEntries(dimensions), ...Object.fromEntries(state) });
}

/** Interventions under pyvene's keys, which is what recorded tensors are called by. */
export function keyed({
  config,
  interventions,
}: IntervenableModel): readonly (readonly [key: string, intervention: Intervention])[] {
  return config.representations.map(({ key, name }) => [key, interventions.get(name)]);
}

/** The matrix of an intervention that has one. */
export function weightOf(intervention: Intervention): Tensor | undefined {
  const layer = (intervention as { readonly rotate_layer?: RotateLayer }).rotate_layer;
  return layer?.weight;
}

/** Gradients of a loss with respect to all parameters of an intervention, by name. */
export function gradientsOf(loss: Tensor, intervention: Intervention): Map<string, Tensor> {
  const parameters = [...intervention.namedParameters()];
  const values = parameters.map(([, { value }]) => value);
  const gradients = grad(loss, values, { allowUnused: true });
  return new Map(parameters.flatMap(([name], i) => (gradients[i] ? [[name, gradients[i]]] : [])));
}
