import type { DownloadOptions } from "./download.ts";
import { FileSourceError } from "./file-source-error.ts";
import { siteOf } from "./http-files.ts";
import type { HttpRequest, Site } from "./http-request.ts";
import { askWhole } from "./hub-answers.ts";
import type { HubAccessOptions } from "./hub-options.ts";
import { hubToken, hubUrlOf } from "./hub-settings.ts";
import { nodeModules } from "./node.ts";
import { redact, redactedCause } from "./redact.ts";

/** The Hub as a server, and what it is told of who asks. */
export interface HubSite extends Site {
  /** What is sent, for messages: "the token of the environment variable HF_TOKEN"; or nothing is. */
  readonly sent: string | undefined;
}

/** One thing that is asked of the Hub, and how what it answers is taken. */
export interface HubQuestion {
  /** Completes "cannot reach HOST to ...". */
  readonly purpose: string;
  /**
   * Asks the server; nothing of what it answers is still to come.
   * @default all of it is read
   */
  readonly ask?: (request: HttpRequest, options: DownloadOptions) => Promise<Response>;
  /** Whether a status that says no is an answer all the same. */
  readonly isAnswer?: (response: Response) => boolean;
  /** The error for all other statuses that say no. */
  readonly refused: (response: Response, site: HubSite) => FileSourceError;
  /** Looks at a redirection, and may answer in place of the server that it leads to. */
  readonly redirected?: HttpRequest["redirected"];
}

/** The Hugging Face Hub, or a mirror of it, as somebody who may have a token reaches it. */
export class HubAccess {
  /** Without a slash at its end, a user or a password. */
  readonly url: string;
  /** How the Hub is reached. */
  readonly options: HubAccessOptions;
  readonly #userSite: Site;
  #site: Promise<HubSite> | undefined;

  /** @throws {@link FileSourceError} when the URL is none. */
  constructor(options: HubAccessOptions) {
    const url = hubUrlOf(options.hubUrl, nodeModules());
    this.options = options;
    this.#userSite = siteOf(url);
    this.url = (url.origin + url.pathname).replace(/\/+$/, "");
  }

  /**
   * The server, and what is said to it alone; the token is looked for once.
   * @throws {@link FileSourceError} for a token that cannot be sent.
   */
  site(): Promise<HubSite> {
    this.#site ??= this.#findSite();
    return this.#site;
  }

  async #findSite(): Promise<HubSite> {
    const found = await hubToken(this.options.token, nodeModules());
    const { origin, authorization } = this.#userSite;
    if (found === undefined) {
      const sent = authorization === undefined ? undefined : "the user and password of its URL";
      return { ...this.#userSite, sent };
    }
    if (authorization !== undefined) {
      throw new FileSourceError(
        "unauthorized",
        "the Hub's URL has a user or password, and there is a token too: pass token: false, or " +
          "another URL",
      );
    }
    const { token, from } = found;
    const sent = `the token of ${from}`;
    return { origin, authorization: `Bearer ${token}`, secrets: [token], sent };
  }

  /**
   * `fetch` for the Hub's client: it sends the token where it belongs, and what it returns is read
   * already. An answer that says no is an error.
   */
  async fetchFor(question: HubQuestion): Promise<typeof fetch> {
    const site = await this.site();
    const { purpose, redirected, ask = askWhole } = question;
    return async (input, init) => {
      const url = input instanceof Request ? input.url : String(input);
      const headers = {
        ...(init?.headers as Record<string, string>),
        "Accept-Encoding": "identity",
      };
      const request = { url, headers, site, purpose, ...(redirected && { redirected }) };
      const response = await ask(request, this.options);
      if (response.ok || question.isAnswer?.(response)) return response;
      throw question.refused(response, site);
    };
  }

  /**
   * Turns the errors of the Hub's client into ones that say what to do.
   * @param what begins the message.
   */
  async asking<T>(what: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof FileSourceError) throw error;
      this.options.signal?.throwIfAborted();
      const secrets = (await this.#site)?.secrets ?? [];
      const reason = redact(error instanceof Error ? error.message : String(error), secrets);
      throw new FileSourceError(
        "system",
        `${what}: the Hub's answer is not understood: ${reason}`,
        { cause: redactedCause(error, secrets) },
      );
    }
  }
}
