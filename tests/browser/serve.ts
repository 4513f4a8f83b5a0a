import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import path from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mjs": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** Makes a page one that may share memory with its workers, which threads need. */
export const ISOLATED: Readonly<Record<string, string>> = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** The strictest policy under which WebAssembly can be compiled. */
export const STRICT_POLICY: Readonly<Record<string, string>> = {
  "content-security-policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
};

/** What a server of static files serves. */
export interface SiteOptions {
  /** Directories by the paths that they are served under, such as `"/"` or `"/model/"`. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Texts by their paths, such as `"/index.html"`; these come before files. */
  readonly pages?: Readonly<Record<string, string>>;
  /** Headers of all answers. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A server of static files that runs. */
export interface Site {
  /** Where it answers, without a slash at the end. */
  readonly url: string;
  /** Paths that it was asked for, in order. */
  readonly asked: readonly string[];
  /** Ends it, and whatever it is answering. */
  close(): void;
}

function isWithin(folder: string, file: string): boolean {
  return file.startsWith(path.resolve(folder) + path.sep);
}

async function contentOf(at: string, options: SiteOptions): Promise<string | Buffer | undefined> {
  const { folders = {}, pages = {} } = options;
  const page = pages[at];
  if (page !== undefined) return page;
  for (const [prefix, folder] of Object.entries(folders)) {
    if (!at.startsWith(prefix)) continue;
    const file = path.resolve(folder, at.slice(prefix.length));
    const content = isWithin(folder, file)
      ? await readFile(file).catch(() => undefined)
      : undefined;
    if (content !== undefined) return content;
  }
  return undefined;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  asked: string[],
  options: SiteOptions,
): Promise<void> {
  const named = decodeURIComponent(new URL(request.url ?? "/", "http://site").pathname);
  const at = named.endsWith("/") ? `${named}index.html` : named;
  asked.push(at);
  const content = await contentOf(at, options);
  const type = TYPES[path.extname(at)] ?? "application/octet-stream";
  response.writeHead(content === undefined ? 404 : 200, {
    ...options.headers,
    "content-type": content === undefined ? "text/plain" : type,
    ...(content === undefined ? {} : { "content-length": Buffer.byteLength(content) }),
  });
  response.end(request.method === "HEAD" ? undefined : content);
}

/** Starts a server of static files on a free port of this machine. */
export async function serve(options: SiteOptions): Promise<Site> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    answer(request, response, asked, options).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
