const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** Makes Node's `console.log` print what `shown` gives in place of an object, which is given back. */
export function showsInstead<T extends object>(object: T, shown: () => unknown): T {
  return Object.defineProperty(object, INSPECT, { value: shown });
}

/** Makes Node's `console.log` print what `toString` gives, for all objects of a class. */
export function printsItself(prototype: { toString(): string }): void {
  Object.defineProperty(prototype, INSPECT, {
    value(this: { toString(): string }): string {
      return this.toString();
    },
  });
}
