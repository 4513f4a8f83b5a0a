import { type ByteSource, bytesInMemory } from "./byte-source.ts";
import { download, type DownloadOptions, MemorySink } from "./download.ts";
import { FileSourceError } from "./file-source-error.ts";
import { checkRelativePath, FileSource } from "./file-source.ts";
import { type Answer, askServer, dismiss, type Site, statusError } from "./http-request.ts";
import { redact } from "./redact.ts";

/** A path as it is written in a URL. */
export function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

/**
 * Development servers of web applications answer every unknown path with the application's page. No
 * file of a model is HTML.
 */
function isPage(response: Response): boolean {
  return response.headers.get("content-type")?.includes("text/html") ?? false;
}

/** User and password of a URL, which are said to its server only, and in no message. */
export function siteOf(url: URL): Site {
  const { origin, username, password } = url;
  if (username === "" && password === "") return { origin, secrets: [] };
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const encoded = btoa(String.fromCharCode(...new TextEncoder().encode(pair)));
  const secrets = [password, decodeURIComponent(password), encoded];
  return { origin, authorization: `Basic ${encoded}`, secrets };
}

/** Files under a URL, such as a model that a web page ships. Fetched whole, into memory. */
export class HttpFiles extends FileSource {
  readonly location: string;
  readonly #base: URL;
  readonly #site: Site;
  readonly #options: DownloadOptions;

  /**
   * @param base an `http:` or `https:` URL of the directory. A user and password in it are sent to
   * its server only; a query follows the path of each file.
   */
  constructor(base: string | URL, options: DownloadOptions = {}) {
    super();
    if (!URL.canParse(base)) {
      throw new FileSourceError("name", "an http or https URL was expected");
    }
    this.#base = new URL(base);
    this.#site = siteOf(this.#base);
    this.#base.username = "";
    this.#base.password = "";
    this.#base.hash = "";
    this.#base.pathname = this.#base.pathname.replace(/\/*$/, "/");
    this.#options = options;
    this.location = `URL ${redact(this.#base.href)}`;
  }

  async exists(path: string): Promise<boolean> {
    const answer = await this.#ask(path, "HEAD", `look for ${path}`);
    await dismiss(answer);
    return answer.response.ok && !isPage(answer.response);
  }

  async openRange(path: string): Promise<ByteSource> {
    const first = await this.#ask(path, "GET", `fetch ${path}`);
    if (!first.response.ok || isPage(first.response)) {
      await dismiss(first);
      throw new FileSourceError("missing", `${this.location} has no file ${path}`);
    }
    const size = lengthOf(first.response);
    const sink = new MemorySink(size);
    let next: Answer | undefined = first;
    const ask = async (from: number): Promise<Answer> => {
      const answer =
        next ?? (await this.#ask(path, "GET", `fetch ${path}`, rangeFrom(from, first)));
      next = undefined;
      return answer;
    };
    await download({ file: path, size, secrets: this.#site.secrets, ask }, sink, this.#options);
    return bytesInMemory(await sink.bytes(), redact(this.#urlOf(path)));
  }

  #urlOf(path: string): string {
    const url = new URL(this.#base);
    url.pathname += encodePath(path);
    return url.href;
  }

  async #ask(
    path: string,
    method: string,
    purpose: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    checkRelativePath(path, this.location);
    const request = { url: this.#urlOf(path), method, headers, site: this.#site, purpose };
    const answer = await askServer(request, this.#options);
    const { response } = answer;
    if (response.ok || [404, 410, 416].includes(response.status)) return answer;
    await dismiss(answer);
    throw statusError(`${this.location}: ${path}`, response, this.#site);
  }
}

/**
 * What Content-Length says, unless the body may have come compressed: then it counts other bytes.
 * A browser hides Content-Encoding from other origins, so there it cannot be relied on.
 */
function lengthOf(response: Response): number | undefined {
  const length = response.headers.get("content-length");
  if (length === null || response.headers.has("content-encoding")) return undefined;
  return response.type === "cors" ? undefined : Number(length);
}

/** Asks for the rest of a file, if it is still the one that was begun; else for the whole. */
function rangeFrom(from: number, { response }: Answer): Readonly<Record<string, string>> {
  const etag = response.headers.get("etag");
  const compressed = response.headers.has("content-encoding");
  if (from === 0 || compressed || etag === null || etag.startsWith("W/")) return {};
  return { Range: `bytes=${from}-`, "If-Range": etag };
}
