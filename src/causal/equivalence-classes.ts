import { fail } from "../base/errors.ts";
import type { Generator } from "../tensor/random/generator.ts";
import { type Structure, type Values, type Variable, variableOf } from "./structure.ts";

/** More settings of parents than this are not gone through: it would take minutes. */
const MOST_SETTINGS = 10_000_000;

/** For each place of a variable's domain, the numbers of the parents' settings that give its value. */
type Classes = readonly (readonly number[])[];

/**
 * Which settings of its parents give each value of a variable. Found when it is first asked for; a
 * setting is kept as its number in the product of the parents' domains, the last parent's fastest.
 */
export class EquivalenceClasses {
  readonly #structure: Structure;
  readonly #classes = new Map<string, Classes>();

  constructor(structure: Structure) {
    this.#structure = structure;
  }

  /** All settings of the parents that give a value, in the order of the product of their domains. */
  settings(op: string, name: string, value: unknown): Values[] {
    const variable = this.#computed(op, name);
    return this.#numbers(op, variable, value).map((number) => this.#setting(variable, number));
  }

  /** How many they are. */
  count(op: string, name: string, value: unknown): number {
    return this.#numbers(op, this.#computed(op, name), value).length;
  }

  /** One of them, each as likely as any other; undefined where there is none. */
  draw(op: string, name: string, value: unknown, generator: Generator): Values | undefined {
    const variable = this.#computed(op, name);
    const numbers = this.#numbers(op, variable, value);
    const number = numbers.length === 0 ? undefined : numbers[generator.integer(numbers.length)];
    return number === undefined ? undefined : this.#setting(variable, number);
  }

  #computed(op: string, name: string): Variable {
    const variable = variableOf(this.#structure, op, name);
    if (variable.parents.length > 0) return variable;
    return fail(op, `${name} is an input, which is computed from nothing`);
  }

  #numbers(op: string, variable: Variable, value: unknown): readonly number[] {
    const { name, domain } = variable;
    domain.requireList(op, `which settings give ${name}`);
    domain.check(op, value, "the request");
    const classes = this.#classes.get(name) ?? this.#find(op, variable);
    this.#classes.set(name, classes);
    return classes[domain.placeOf(value) ?? -1] ?? [];
  }

  #find(op: string, variable: Variable): Classes {
    const { name, domain, compute, parents } = variable;
    const lists = this.#lists(op, variable);
    const count = lists.reduce((product, { length }) => product * length, 1);
    if (count > MOST_SETTINGS) {
      fail(
        op,
        `the parents ${parents.join(", ")} of ${name} have ${count} settings, more than ${MOST_SETTINGS}; ` +
          `give preimages.${name}, a function that draws one`,
      );
    }
    const classes = Array.from(domain.list ?? [], (): number[] => []);
    for (let number = 0; number < count; number++) {
      const value = compute?.(...placesOf(lists, number));
      domain.check(op, value, "its function");
      classes[domain.placeOf(value) ?? -1]?.push(number);
    }
    return classes;
  }

  #lists(op: string, { name, parents }: Variable): (readonly unknown[])[] {
    return parents.map((parent) =>
      variableOf(this.#structure, op, parent).domain.requireList(
        op,
        `which settings give ${name} (without preimages.${name})`,
      ),
    );
  }

  #setting(variable: Variable, number: number): Values {
    const values = placesOf(this.#lists("", variable), number);
    return Object.fromEntries(variable.parents.map((parent, i) => [parent, values[i]]));
  }
}

/** The values of a setting by its number, as digits of a number with a base for each place. */
function placesOf(lists: readonly (readonly unknown[])[], number: number): unknown[] {
  const values = Array.from<unknown>({ length: lists.length });
  let rest = number;
  for (let i = lists.length - 1; i >= 0; i--) {
    const list = lists[i] ?? [];
    values[i] = list[rest % list.length];
    rest = Math.floor(rest / list.length);
  }
  return values;
}
