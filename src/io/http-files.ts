import { type ByteSource, bytesInMemory } from "./byte-source.ts";
import { bodyOf, collect, type DownloadOptions, fetchFor } from "./download.ts";
import { FileSourceError } from "./file-source-error.ts";
import { checkRelativePath, FileSource } from "./file-source.ts";

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

/**
 * Development servers of web applications answer every unknown path with the application's page. No
 * file of a model is HTML.
 */
function isPage(response: Response): boolean {
  return response.headers.get("content-type")?.includes("text/html") ?? false;
}

/** Files under a URL, such as a model that a web page ships. Fetched whole, into memory. */
export class HttpFiles extends FileSource {
  readonly location: string;
  readonly #base: string;
  readonly #options: DownloadOptions;

  /** @param base an `http:` or `https:` URL of the directory. */
  constructor(base: string | URL, options: DownloadOptions = {}) {
    super();
    this.#base = String(base).replace(/\/*$/, "/");
    this.#options = options;
    this.location = `URL ${this.#base}`;
  }

  async exists(path: string): Promise<boolean> {
    const response = await this.#request(path, "HEAD", `look for ${path}`);
    return response.ok && !isPage(response);
  }

  async openRange(path: string): Promise<ByteSource> {
    const response = await this.#request(path, "GET", `fetch ${path}`);
    if (!response.ok || isPage(response)) {
      await response.body?.cancel();
      throw new FileSourceError("missing", `${this.location} has no file ${path}`);
    }
    const total = this.#length(response);
    const bytes = await collect(bodyOf(response, path, total, this.#options), total);
    return bytesInMemory(bytes, this.#base + path);
  }

  /**
   * What Content-Length says, unless the body may have come compressed: then it counts other bytes.
   * A browser hides Content-Encoding from other origins, so there it cannot be relied on.
   */
  #length(response: Response): number | undefined {
    const length = response.headers.get("content-length");
    if (length === null || response.headers.has("content-encoding")) return undefined;
    return response.type === "cors" ? undefined : Number(length);
  }

  async #request(path: string, method: string, purpose: string): Promise<Response> {
    checkRelativePath(path, this.location);
    const request = fetchFor(purpose, this.#options);
    const response = await request(this.#base + encodePath(path), { method });
    if (response.ok || response.status === 404 || response.status === 410) return response;
    await response.body?.cancel();
    const code = response.status === 401 || response.status === 403 ? "unauthorized" : "system";
    throw new FileSourceError(
      code,
      `${this.location}: ${path} was answered with status ${response.status} ${response.statusText}`,
    );
  }
}
