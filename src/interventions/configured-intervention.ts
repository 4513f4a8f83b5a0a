import { fail } from "./errors.ts";
import { printsItself } from "../base/inspect.ts";
import { wrongOptions } from "../base/known-options.ts";
import { describeOptions } from "./describe-options.ts";
import type { AnyInterventionClass } from "./intervention.ts";
import { interventionName } from "./names.ts";

/**
 * A class of interventions with options for its constructor: what {@link Intervention.with} gives.
 */
export class ConfiguredIntervention {
  readonly #class: AnyInterventionClass;
  readonly #options: Readonly<Record<string, unknown>>;

  /**
   * @internal
   * @throws InterventionError for an option that the class does not have.
   */
  constructor(kind: AnyInterventionClass, options: object) {
    requireOptionsOf(kind, options);
    this.#class = kind;
    this.#options = { ...options };
  }

  /** The class that an intervention is built from. */
  get class(): AnyInterventionClass {
    return this.#class;
  }

  /** What its constructor is given beside the widths that a model knows. */
  get options(): Readonly<Record<string, unknown>> {
    return this.#options;
  }

  /** Name of the class, with its options in parentheses. */
  toString(): string {
    return `${interventionName(this.#class)}(${describeOptions(this.#options)})`;
  }

  /**
   * The class by name, and the options.
   * @throws InterventionError for options that JSON cannot say, such as tensors.
   */
  toJSON(): { readonly class: string; readonly options: Readonly<Record<string, unknown>> } {
    const name = interventionName(this.#class);
    for (const [option, value] of Object.entries(this.#options)) {
      if (isData(value)) continue;
      fail(
        name,
        `JSON cannot say its ${option}, which is ${describe(value)}; leave it out of the configuration, ` +
          `and give tensors with the call, as sourceRepresentations`,
      );
    }
    return { class: name, options: this.#options };
  }
}

printsItself(ConfiguredIntervention.prototype);

/** @throws InterventionError for options that a class does not have. */
export function requireOptionsOf(
  kind: { readonly name: string; readonly optionNames: object },
  options: unknown,
): void {
  const wrong = wrongOptions(options, kind.optionNames);
  if (wrong === undefined) return;
  const isOwn = Object.hasOwn(kind, "optionNames");
  const hint = isOwn
    ? ""
    : ` A class with options of its own lists their names, as ` +
      `static override readonly optionNames = { ...Intervention.optionNames, strength: true }`;
  fail(kind.name, wrong + hint);
}

/** Whether JSON gives a value back as it was. */
function isData(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value !== "object") return ["string", "boolean"].includes(typeof value) || isNumber(value); // prettier-ignore
  if (Array.isArray(value)) return value.every((entry) => entry !== undefined && isData(entry));
  const isPlain = Object.getPrototypeOf(value) === Object.prototype;
  return isPlain && Object.values(value).every(isData);
}

function isNumber(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value);
}

function describe(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return `a ${value.constructor.name}`;
}
