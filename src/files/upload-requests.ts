import { FileSourceError, type FileSourceFailure } from "./file-source-error.ts";
import { type HttpRequest, type Site, statusError } from "./http-request.ts";
import type { HubAccess, HubSite } from "./hub-access.ts";
import { askWhole } from "./hub-answers.ts";
import { nodeModules } from "./node.ts";
import type { PushOptions } from "./push-options.ts";
import { redact } from "./redact.ts";
import { SourceBlob } from "./source-blob.ts";

/** Seconds: the Hub says nothing until all of a commit has come and is written. */
const TIMEOUT = 120;
/** Bytes a second that every connection is taken to have, where what is sent cannot be watched. */
const SLOWEST = 50_000;
/** Characters of what a server says. */
const MOST_SAID = 500;

/** An answer of the Hub that says no. */
export class Refusal extends FileSourceError {
  /** What the Hub calls the reason, such as "RepoNotFound". */
  readonly reason: string | null;

  constructor(error: FileSourceError, reason: string | null) {
    super(error.code, error.message);
    this.reason = reason;
  }
}

/** Who uploads, what, and to where. */
export interface UploadTarget {
  /** What messages begin with. */
  readonly caller: string;
  readonly access: HubAccess;
  readonly site: HubSite;
  readonly options: PushOptions;
}

/** What an answer says of why it says no: in a header, or as JSON. */
async function saidBy(response: Response, secrets: readonly string[]): Promise<string> {
  const header = response.headers.get("x-error-message");
  const isJson = response.headers.get("content-type")?.includes("json") ?? false;
  const json: unknown = isJson ? await response.json().catch(() => undefined) : undefined;
  const { error } = (json ?? {}) as { readonly error?: unknown };
  const said = header ?? (typeof error === "string" ? error : response.statusText);
  return redact(said, secrets).slice(0, MOST_SAID);
}

/** Name of a file as the Hub's client sends it. */
function nameOf(body: unknown): string {
  return body instanceof SourceBlob ? body.name : "a large file";
}

/**
 * What the Hub's client asks when it uploads: of the Hub, with the token, and of the places where
 * the Hub keeps large files, without it.
 */
export class UploadRequests {
  readonly #target: UploadTarget;
  /** Bytes sent of each file, by where the part begins that they are of. */
  readonly #sent = new Map<string, Map<number, number>>();

  constructor(target: UploadTarget) {
    this.#target = target;
  }

  /**
   * `fetch` for the Hub's client. What it gives is read already.
   * @param what completes "asked to ...".
   * @throws {@link Refusal} when the Hub says no, {@link FileSourceError} when another server does,
   * or none can be reached.
   */
  fetchFor(what: string, stop?: AbortSignal): typeof fetch {
    return async (input, init = {}) => {
      const url = new URL(input instanceof Request ? input.url : String(input));
      const { access, site, caller } = this.#target;
      const isStorage = init.method === "PUT" || url.origin !== site.origin;
      if (isStorage) requireEncrypted(url, `${caller}: ${access.url}, asked to ${what},`, access);
      const asked = isStorage ? { origin: url.origin, secrets: site.secrets } : site;
      const request = this.#request(url, init, asked, what);
      const response = await askWhole(request, this.#options(url, init.body, stop));
      if (!response.ok) throw await this.#refusal(response, request, init.body);
      if (url.pathname.endsWith("/info/lfs/objects/batch")) await this.#checkBatch(response);
      if (init.body instanceof SourceBlob) this.#checkPart(response, init.body, url.origin);
      return response;
    };
  }

  #request(url: URL, init: RequestInit, site: Site, purpose: string): HttpRequest {
    const { body, method = "GET" } = init;
    const headers = new Headers(init.headers);
    // The client does not know the token, and would write that it is undefined.
    headers.delete("Authorization");
    headers.set("Accept-Encoding", "identity");
    const request = { url: url.href, method, headers: Object.fromEntries(headers), site, purpose };
    if (body === undefined || body === null) return request;
    return { ...request, body: body instanceof SourceBlob ? this.#watched(body) : () => body };
  }

  #options(url: URL, body: unknown, stop: AbortSignal | undefined): PushOptions {
    const { createPr, timeout = TIMEOUT, ...rest } = this.#target.options;
    const size = body instanceof Blob && nodeModules() === undefined ? body.size : 0;
    // Tried again after an answer that was lost, it would open another pull request.
    const opens = createPr === true && /\/commit\/[^/]*$/.test(url.pathname);
    return {
      ...rest,
      timeout: timeout + size / SLOWEST,
      ...(opens && { retries: 0 }),
      ...(stop && { signal: stop }),
    };
  }

  /** A file as it is sent, from its beginning in each try; reports how much has been sent. */
  #watched(body: SourceBlob): NonNullable<HttpRequest["body"]> {
    // A browser sends only Blobs of its own.
    if (nodeModules() === undefined) return () => body.arrayBuffer();
    const { name, begin, total } = body;
    const parts = this.#sent.get(name) ?? new Map<number, number>();
    this.#sent.set(name, parts);
    return (watch) => {
      parts.set(begin, 0);
      return body.watched((bytes) => {
        watch.alive();
        parts.set(begin, (parts.get(begin) ?? 0) + bytes);
        const loaded = [...parts.values()].reduce((sum, part) => sum + part, 0);
        this.#target.options.onProgress?.({ file: name, loaded, total });
      });
    };
  }

  /** Large files that the Hub does not take, or wants in parts that they do not have. */
  async #checkBatch(response: Response): Promise<void> {
    const { objects } = (await response.clone().json()) as {
      readonly objects?: readonly LargeObject[];
    };
    for (const { oid, size, error, actions } of objects ?? []) {
      const which = `${this.#target.caller}: a large file of ${Number(size)} bytes (SHA-256 ${String(oid).slice(0, 64)})`;
      if (error !== undefined) {
        const said = redact(String(error.message), this.#target.site.secrets).slice(0, MOST_SAID);
        throw new FileSourceError("system", `${which} was refused by the Hub: ${said}`);
      }
      const { chunk_size: length, ...header } = actions?.upload?.header ?? {};
      if (length === undefined) continue;
      const parts = Object.keys(header).filter((key) => /^\d+$/.test(key)).length;
      if (parts === Math.ceil(Number(size) / Number(length))) continue;
      const wanted = `the Hub wants it in ${parts} parts of ${length} bytes`;
      throw new FileSourceError("system", `${which} cannot be sent: ${wanted}`);
    }
  }

  /** The parts of a file are put together by what their server calls them. */
  #checkPart(response: Response, part: SourceBlob, origin: string): void {
    if (part.size === part.total || response.headers.has("etag")) return;
    const message = `${this.#target.caller}: ${origin} does not say what it calls the part of ${part.name} that it was sent`; // prettier-ignore
    throw new FileSourceError("system", message);
  }

  async #refusal(
    response: Response,
    { site, purpose }: HttpRequest,
    body: unknown,
  ): Promise<FileSourceError> {
    const { caller } = this.#target;
    const said = await saidBy(response, site.secrets);
    if (site !== this.#target.site) {
      const what = `${caller}: ${site.origin}, where the Hub keeps large files, asked to take ${nameOf(body)},`; // prettier-ignore
      return statusError(what, response, site, said);
    }
    const what = `${caller}: the Hub, asked to ${purpose},`;
    const reason = REASONS[response.status];
    if (reason === undefined) {
      return new Refusal(statusError(what, response, site, said), errorCode(response));
    }
    const text = `${what} answered with status ${response.status}: ${reason.why(this.#target)} (${said})`;
    return new Refusal(new FileSourceError(reason.code, text), errorCode(response));
  }
}

function errorCode(response: Response): string | null {
  return response.headers.get("x-error-code");
}

/** What the Hub says of a large file: whether it takes it, and where to send it. */
interface LargeObject {
  readonly oid?: unknown;
  readonly size?: unknown;
  readonly error?: { readonly message?: unknown };
  readonly actions?: { readonly upload?: { readonly header?: Readonly<Record<string, string>> } };
}

/** Files are not sent where others can read them on the way, unless the Hub itself is there. */
function requireEncrypted({ protocol, origin }: URL, who: string, access: HubAccess): void {
  const isPlain = protocol === "http:" && access.url.startsWith("http:");
  if (protocol === "https:" || isPlain) return;
  throw new FileSourceError("system", `${who} leads to ${origin}, which is not encrypted`);
}

/** A status for somebody who uploads: what it means, and what to do. */
interface Reason {
  readonly code: FileSourceFailure;
  readonly why: (target: UploadTarget) => string;
}

function revisionOf({ options }: UploadTarget): string {
  return `${options.repo} (revision ${options.revision ?? "main"})`;
}

function conflict(target: UploadTarget): string {
  const { parentCommit } = target.options;
  const branch = revisionOf(target);
  if (parentCommit === undefined) return `others changed ${branch} again and again; try again`;
  return `${branch} is no longer at ${parentCommit}; look at what came since, and pass its commit as \`parentCommit\``; // prettier-ignore
}

const LOGIN = "log in with `hf auth login`, set HF_TOKEN, or pass it as `token`";

const REASONS: { readonly [status: number]: Reason } = {
  401: {
    code: "unauthorized",
    why: ({ site, access }) =>
      `${site.sent} was refused; make one that may write at ${access.url}/settings/tokens, and ${LOGIN}`,
  },
  403: {
    code: "unauthorized",
    why: ({ site, access, options }) =>
      `${site.sent} may not do that; give it the right to write to ${options.repo} at ` +
      `${access.url}/settings/tokens, or take another: ${LOGIN}`,
  },
  404: {
    code: "missing",
    why: (target) => `there is no ${revisionOf(target)}, or ${target.site.sent} may not see it`,
  },
  409: { code: "conflict", why: conflict },
  412: { code: "conflict", why: conflict },
};
