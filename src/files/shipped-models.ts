/** The models that come with the package, by name. */
const SHIPPED: ReadonlySet<string> = new Set(["tsvene-mini"]);

/** Seen from a folder of `src/` as well as from one of `dist/`. */
const FOLDER = "../../models/";

/**
 * Where a model that comes with the package lies: a `file:` URL in Node, one of a server in a page.
 *
 * @returns Undefined for any other name, and where a bundler left nothing to tell the place by.
 */
export function shippedModel(name: string): URL | undefined {
  // Bundlers that write CommonJS leave it undefined. They would also copy what they see named in a
  // `new URL` of one expression, which cannot be a folder.
  const here: string | undefined = import.meta.url;
  if (!SHIPPED.has(name) || here === undefined) return undefined;
  return new URL(`${name}/`, new URL(FOLDER, here));
}
