import { TorchFileError } from "./torch-file-error.ts";

/** Keys under which training scripts keep the weights, the likeliest first. */
const WEIGHT_KEYS = [
  "state_dict",
  "model_state_dict",
  "model_state",
  "model",
  "module",
  "network",
  "net",
  "params",
  "weights",
];

/** Keys of what training scripts keep beside the weights. */
const OTHER_KEYS = /optim|sched|scaler|callback|hyper|args|config|rng|random|sampler|loops|lr_/i;

/** Far more tensors than a model has; dicts that lie in others many times can be of any number. */
const MOST_NAMES = 200_000;

type Dict = ReadonlyMap<unknown, unknown>;

/** Tensors of a dict and of the dicts in it, by their keys joined by dots. */
class Collector<T> {
  readonly found = new Map<string, T>();
  readonly #isTensor: (value: unknown) => value is T;
  readonly #file: string;
  #seen = 0;

  constructor(isTensor: (value: unknown) => value is T, file: string) {
    this.#isTensor = isTensor;
    this.#file = file;
  }

  collect(dict: Dict, prefix: string): void {
    for (const [key, value] of dict) {
      if (++this.#seen > MOST_NAMES) {
        throw new TorchFileError(`${this.#file}: it has more than ${MOST_NAMES} entries`);
      }
      if (typeof key !== "string") continue;
      if (this.#isTensor(value)) this.found.set(prefix + key, value);
      else if (value instanceof Map && !OTHER_KEYS.test(key)) {
        this.collect(value as Dict, `${prefix}${key}.`);
      }
    }
  }
}

function hasTensors(dict: Dict, isTensor: (value: unknown) => boolean): boolean {
  return [...dict.values()].some((value) => isTensor(value));
}

/**
 * The tensors of a state dict by name, which may lie in a dict with an optimizer's and other things
 * beside it, as training scripts write them. Plain values among the tensors are left out.
 *
 * @returns nothing where there are none.
 */
export function findStateDict<T>(
  value: unknown,
  isTensor: (value: unknown) => value is T,
  file: string,
): ReadonlyMap<string, T> {
  if (!(value instanceof Map)) return new Map();
  const dict = value as Dict;
  if (!hasTensors(dict, isTensor)) {
    for (const key of WEIGHT_KEYS) {
      const inner = findStateDict(dict.get(key), isTensor, file);
      if (inner.size > 0) return inner;
    }
  }
  const collector = new Collector(isTensor, file);
  collector.collect(dict, "");
  return collector.found;
}
