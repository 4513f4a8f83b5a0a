import type { DownloadOptions } from "./download.ts";
import { FileSourceError } from "./file-source-error.ts";
import { environmentTimeout } from "./hub-settings.ts";
import { nodeModules } from "./node.ts";
import { redact, redactedCause } from "./redact.ts";

/** A server, and what is said to it and to nobody else. */
export interface Site {
  /** Scheme, host and port. */
  readonly origin: string;
  /** The header `Authorization`. */
  readonly authorization?: string;
  /** What no message may say. */
  readonly secrets: readonly string[];
}

/** Statuses of servers that may answer otherwise a little later. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const MOST_REDIRECTS = 10;
export const RETRIES = 4;
/** Of a server that is not there at all, or says nothing. */
const RETRIES_UNREACHABLE = 2;
const UNREACHABLE = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH/;
/** Milliseconds. */
const FIRST_DELAY = 250;
const LONGEST_DELAY = 8_000;
/** A server that wants more than this is not waited for. */
const LONGEST_ASKED_DELAY = 60_000;
/** Seconds; as Python's client has it. */
const TIMEOUT = 10;

const unavailable = new WeakSet<Error>();

/** True for errors that say that the server cannot be had now, and not that it refuses. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof Error && unavailable.has(error);
}

/** Marks an error as one that says that the server cannot be had now. */
export function markUnavailable<E extends Error>(error: E): E {
  unavailable.add(error);
  return error;
}

/** The innermost reason of a failed request: `fetch` itself only says "fetch failed". */
export function reasonOf(error: unknown): string {
  if (typeof error === "string") return error;
  if (!(error instanceof Error)) return "unknown reason";
  if (error.cause instanceof Error) return reasonOf(error.cause);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return [code, error.message].filter((part) => part !== "").join(": ") || error.name;
}

/** Stops a request when nothing comes for a time, or when its caller wants it stopped. */
export class Watch {
  /** Seconds of silence after which a request is given up. */
  readonly seconds: number;
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #stop = (): void => this.#controller.abort(this.#caller?.reason);

  constructor({ timeout, signal }: DownloadOptions) {
    if (timeout !== undefined && !(timeout > 0)) {
      throw new FileSourceError("name", `timeout is ${timeout}; seconds above 0 were expected`);
    }
    this.seconds = timeout ?? environmentTimeout(nodeModules()) ?? TIMEOUT;
    this.#caller = signal;
    signal?.addEventListener("abort", this.#stop);
    if (signal?.aborted) this.#stop();
    this.alive();
  }

  /** Aborts the request: after silence, or when the caller's signal does. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether it was the silence that stopped it. */
  get timedOut(): boolean {
    return this.signal.aborted && !this.#caller?.aborted;
  }

  /** To be called when something came. */
  alive(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(), this.seconds * 1000);
  }

  /** Stops watching; the request has ended. */
  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener("abort", this.#stop);
  }
}

/** An answer whose body is still to be read. */
export interface Answer {
  /** What the server said; its body has not been read. */
  readonly response: Response;
  /** To be told of what comes, and that it ended. */
  readonly watch: Watch;
}

/** What is asked of whom, and what for. */
export interface HttpRequest {
  /** What is asked for; redirects are followed. */
  readonly url: string;
  /** Method of the request. @default "GET" */
  readonly method?: string;
  /** Headers besides the authorization. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Where it is sent, and the authorization that only this origin gets. */
  readonly site: Site;
  /** Completes "cannot reach HOST to ...". */
  readonly purpose: string;
  /** What is sent, made again for each try. It tells the watch whenever some of it was taken. */
  readonly body?: (watch: Watch) => BodyInit | Promise<BodyInit>;
  /** Looks at a redirection, and may answer in place of the server that it leads to. */
  readonly redirected?: (response: Response, from: URL, to: URL) => Response | undefined;
}

/** Redirections after which the same body is sent elsewhere; after others, none is sent. */
const SENT_ON: ReadonlySet<number> = new Set([307, 308]);

function nextUrl(response: Response, from: URL, request: HttpRequest): URL | undefined {
  const { purpose, body, site } = request;
  const location = response.headers.get("location");
  if (!REDIRECTS.has(response.status) || location === null) return undefined;
  const refuse = (why: string): never => {
    throw new FileSourceError("system", `${from.origin}, asked to ${purpose}, ${why}`);
  };
  if (!URL.canParse(location, from)) refuse("redirects to what is no URL");
  const next = new URL(location, from);
  if (!/^https?:$/.test(next.protocol)) refuse(`redirects to ${next.protocol}`);
  if (from.protocol === "https:" && next.protocol === "http:") {
    refuse(`redirects to ${next.origin}, which is not encrypted`);
  }
  if (body !== undefined && !SENT_ON.has(response.status)) {
    refuse(`redirects to ${next.origin} with status ${response.status}, which sends nothing on`);
  }
  if (body !== undefined && site.authorization !== undefined && next.origin !== from.origin) {
    refuse(`redirects to ${next.origin}, which is another server: nothing was sent there`);
  }
  // Another server does not choose in whose name it is asked.
  next.username = "";
  next.password = "";
  return next;
}

/** Follows redirections; what is said to the site goes to no other, nor to it after another. */
async function follow(
  request: HttpRequest,
  options: DownloadOptions,
  watch: Watch,
): Promise<Response> {
  const { site, purpose, method = "GET" } = request;
  const ask = options.fetch ?? fetch;
  // A browser tells nobody where a redirection leads, and takes care of this itself.
  const redirect = nodeModules() === undefined ? "follow" : "manual";
  let url = new URL(request.url);
  let trusted = true;
  for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
    trusted &&= url.origin === site.origin;
    const headers: Record<string, string> = { ...request.headers };
    if (trusted && site.authorization !== undefined) headers["Authorization"] = site.authorization;
    const body = await request.body?.(watch);
    const sent = body === undefined ? {} : { body };
    const { signal } = watch;
    const response = await ask(url.href, { method, headers, redirect, signal, ...sent });
    const next = nextUrl(response, url, request);
    if (next === undefined) return response;
    await response.body?.cancel();
    const instead = request.redirected?.(response, url, next);
    if (instead !== undefined) return instead;
    url = next;
  }
  throw new FileSourceError(
    "system",
    `${site.origin}, asked to ${purpose}, redirects more than ${MOST_REDIRECTS} times`,
  );
}

async function askOnce(request: HttpRequest, options: DownloadOptions): Promise<Answer> {
  const { purpose, site } = request;
  const watch = new Watch(options);
  try {
    return { response: await follow(request, options, watch), watch };
  } catch (error) {
    watch.end();
    options.signal?.throwIfAborted();
    if (error instanceof FileSourceError) throw error;
    const reason = watch.timedOut
      ? `nothing came for ${watch.seconds} s`
      : redact(reasonOf(error), site.secrets);
    throw markUnavailable(
      new FileSourceError(
        "network",
        `cannot reach ${new URL(request.url).origin} to ${purpose} (${reason}): check the ` +
          "connection, or use a local directory",
        { cause: redactedCause(error, site.secrets) },
      ),
    );
  }
}

/** Milliseconds that a server asks to be left alone for. */
function askedDelay(response: Response): number {
  const text = response.headers.get("retry-after") ?? "";
  if (/^\s*\d+\s*$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now());
}

/** Waits before another try: longer each time, and not all clients equally long. */
export async function backOff(attempt: number, asked: number, signal?: AbortSignal): Promise<void> {
  const most = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempt);
  const delay = Math.max(asked, most * (0.5 + 0.5 * Math.random()));
  await new Promise<void>((done) => {
    const timer = setTimeout(done, delay);
    signal?.addEventListener("abort", () => (clearTimeout(timer), done()), { once: true });
  });
  signal?.throwIfAborted();
}

function retriesAfter(error: unknown, options: DownloadOptions): number {
  const most = options.retries ?? RETRIES;
  if (!isUnavailable(error)) return 0;
  const { message } = error as Error;
  const absent = UNREACHABLE.test(message) || message.includes("nothing came for");
  return absent ? Math.min(most, RETRIES_UNREACHABLE) : most;
}

/**
 * Asks a server; again when it is overloaded or cannot be reached, as often as options say.
 *
 * @throws {@link FileSourceError} when it cannot be reached; an answer of any status is returned.
 */
export async function askServer(request: HttpRequest, options: DownloadOptions): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    let asked = 0;
    try {
      const answer = await askOnce(request, options);
      if (!PASSING.has(answer.response.status)) return answer;
      asked = askedDelay(answer.response);
      if (attempt >= (options.retries ?? RETRIES) || asked > LONGEST_ASKED_DELAY) return answer;
      answer.watch.end();
      await answer.response.body?.cancel();
    } catch (error) {
      if (attempt >= retriesAfter(error, options)) throw error;
    }
    await backOff(attempt, asked, options.signal);
  }
}

/** Gives up an answer whose body is not wanted. */
export async function dismiss({ response, watch }: Answer): Promise<void> {
  watch.end();
  await response.body?.cancel().catch(() => undefined);
}

/**
 * What a status means that says that something was not done.
 * @param said what the server says of it, without its secrets.
 */
export function statusError(
  message: string,
  response: Response,
  site: Site,
  said: string = redact(
    response.headers.get("x-error-message") ?? response.statusText,
    site.secrets,
  ),
): FileSourceError {
  const { status } = response;
  const wait = askedDelay(response);
  const asked = wait > 0 ? `; it asks to be left alone for ${Math.ceil(wait / 1000)} s` : "";
  const text = `${message} was answered with status ${status} ${said}`;
  const code = status === 401 || status === 403 ? "unauthorized" : "system";
  const error = new FileSourceError(code, text.trimEnd() + asked);
  return PASSING.has(status) ? markUnavailable(error) : error;
}
