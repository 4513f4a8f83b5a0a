/** Names of registered classes, which a bundler that shortens names does not change. */
const names = new WeakMap<object, string>();

/** The name of a class in JSON: that under which it was registered, or its own. */
export function interventionName(kind: { readonly name: string }): string {
  return names.get(kind) ?? kind.name;
}

/** Notes the name of a class. */
export function nameIntervention(kind: object, name: string): void {
  names.set(kind, name);
}
