/** Makes Node's `console.log` print what `toString` gives, for all objects of a class. */
export function printsItself(prototype: { toString(): string }): void {
  Object.defineProperty(prototype, Symbol.for("nodejs.util.inspect.custom"), {
    value(this: { toString(): string }): string {
      return this.toString();
    },
  });
}
