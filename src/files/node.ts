import type * as crypto from "node:crypto";
import type * as fs from "node:fs/promises";
import type * as os from "node:os";
import type * as path from "node:path";

/** Node's own modules, as far as this layer uses them. */
export interface NodeModules {
  /** `node:crypto`. */
  readonly crypto: typeof crypto;
  /** `node:fs/promises`. */
  readonly fs: typeof fs;
  /** `node:os`. */
  readonly os: typeof os;
  /** `node:path`. */
  readonly path: typeof path;
  /** The environment's variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Node's modules, or undefined in a browser. They are asked for at run time and never imported, so
 * that a bundler for the web has nothing to resolve.
 */
export function nodeModules(): NodeModules | undefined {
  const host: Partial<NodeJS.Process> | undefined = globalThis.process;
  if (typeof host?.getBuiltinModule !== "function") return undefined;
  return {
    crypto: host.getBuiltinModule("node:crypto"),
    fs: host.getBuiltinModule("node:fs/promises"),
    os: host.getBuiltinModule("node:os"),
    path: host.getBuiltinModule("node:path"),
    env: host.env ?? {},
  };
}

/** Node's modules, or an error that says that `what` needs a file system. */
export function requireNode(what: string): NodeModules {
  const modules = nodeModules();
  if (modules !== undefined) return modules;
  throw new Error(
    `${what} needs a file system, which a browser does not have: ` +
      "pass the file's bytes (ArrayBuffer, Uint8Array or Blob) or a URL instead",
  );
}
