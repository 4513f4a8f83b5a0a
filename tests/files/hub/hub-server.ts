import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One version of a repository. */
interface Commit {
  readonly oid: string;
  readonly title: string;
  readonly parent: string | undefined;
  readonly files: ReadonlyMap<string, StoredFile>;
}

/** A file as Git has it, or, of a large one, what stands for it there. */
interface StoredFile {
  readonly bytes: Buffer;
  readonly isLarge: boolean;
}

/** A model repository. */
export interface Repository {
  readonly isPrivate: boolean;
  readonly branches: Map<string, Commit>;
  readonly pullRequests: Commit[];
}

/** What a server was asked. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** Answers in place of a server; true if it did. */
export type Fault = (asked: Asked, response: ServerResponse) => boolean | void;

const oidOf = (text: string): string => createHash("sha1").update(text).digest("hex");
export const gitHash = (bytes: Buffer): string =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
export const sha256 = (bytes: Uint8Array): string =>
  createHash("sha256").update(bytes).digest("hex");

function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "Content-Type": "application/json; charset=utf-8" });
  response.end(JSON.stringify(value));
}

function refuse(response: ServerResponse, status: number, message: string, code?: string): void {
  response.setHeader("X-Error-Message", message);
  if (code !== undefined) response.setHeader("X-Error-Code", code);
  json(response, { error: message }, status);
}

/** A server on loopback that reads each request whole, and notes it. */
abstract class Loopback {
  readonly asked: Asked[] = [];
  /** Looks at each request before it is answered. */
  fault: Fault = () => false;
  readonly #server: Server = createServer((request, response) => {
    this.#receive(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<unknown>((done) => this.#server.close(done));
  }

  /** Requests whose path begins so. */
  askedFor(method: string, path: RegExp): Asked[] {
    return this.asked.filter((one) => one.method === method && path.test(one.path));
  }

  protected abstract answer(asked: Asked, response: ServerResponse): void;

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    const parts: Buffer[] = [];
    const asked = { method, path: url, headers, body: Buffer.alloc(0) };
    if (method === "PUT" && this.fault(asked, response) === true) return;
    for await (const part of request) parts.push(part as Buffer);
    const whole = { ...asked, body: Buffer.concat(parts) };
    this.asked.push(whole);
    if (method !== "PUT" && this.fault(whole, response) === true) return;
    this.answer(whole, response);
  }
}

/** Where the Hub keeps large files: signed links to it are all that it knows of who asks. */
class Storage extends Loopback {
  readonly files: Map<string, Buffer> = new Map();
  readonly #parts = new Map<string, Map<number, Buffer>>();
  /** Leaves out what parts are called. */
  isNameless = false;

  protected answer({ method, path, headers, body }: Asked, response: ServerResponse): void {
    const url = new URL(path, this.url);
    const oid = url.pathname.slice(1);
    if (url.searchParams.get("X-Signature") !== "secretsignature") {
      return void response.writeHead(403).end();
    }
    const part = Number(url.searchParams.get("part"));
    if (method === "GET") return sendBytes(this.files.get(oid), headers.range, response);
    if (method === "POST") return this.#complete(oid, body, response);
    if (Number(headers["content-length"]) !== body.length) {
      return void response.writeHead(411).end();
    }
    if (part > 0) {
      const parts = this.#parts.get(oid) ?? new Map<number, Buffer>();
      this.#parts.set(oid, parts.set(part, body));
      if (!this.isNameless) response.setHeader("ETag", `"part-${part}"`);
    } else this.files.set(oid, body);
    response.end();
  }

  #complete(oid: string, body: Buffer, response: ServerResponse): void {
    const { parts } = JSON.parse(body.toString()) as {
      parts: { partNumber: number; etag: string }[];
    };
    const right = parts.every(({ partNumber, etag }) => etag === `"part-${partNumber}"`);
    if (!right) return void response.writeHead(400).end();
    const found = parts.map(({ partNumber }) => this.#parts.get(oid)?.get(partNumber));
    this.files.set(oid, Buffer.concat(found.map((part) => part ?? Buffer.alloc(0))));
    json(response, {});
  }
}

function sendBytes(
  bytes: Buffer | undefined,
  range: string | undefined,
  response: ServerResponse,
): void {
  if (bytes === undefined) return void response.writeHead(404).end();
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  response.setHeader("Accept-Ranges", "bytes");
  if (from === undefined) {
    response.setHeader("Content-Length", bytes.length);
    return void response.end(bytes);
  }
  const end = Math.min(bytes.length, to === "" || to === undefined ? bytes.length : Number(to) + 1);
  response.setHeader("Content-Range", `bytes ${from}-${end - 1}/${bytes.length}`);
  response.setHeader("Content-Length", end - Number(from));
  response.writeHead(206).end(bytes.subarray(Number(from), end));
}

/**
 * A Hub with repositories, tokens, and another server for large files, as far as its clients use it:
 * both that of this library and Python's.
 */
export class HubServer extends Loopback {
  readonly storage: Storage = new Storage();
  readonly repositories: Map<string, Repository> = new Map();
  /** Tokens, and what they may do. */
  readonly tokens: Map<string, "read" | "write"> = new Map();
  /** Files of more bytes than this are large. */
  largeFrom: number = 1000;
  /** Large files of more bytes than this are sent in parts of as many. */
  partBytes: number = 1 << 30;

  override async start(): Promise<void> {
    await super.start();
    await this.storage.start();
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.storage.stop();
  }

  /** Makes a repository with files in it. */
  create(
    name: string,
    isPrivate = false,
    files: Readonly<Record<string, string | Uint8Array>> = {},
  ): Repository {
    const repository: Repository = { isPrivate, branches: new Map(), pullRequests: [] };
    this.repositories.set(name, repository);
    const stored = Object.entries({ ".gitattributes": "", ...files }).map(
      ([path, content]) => [path, { bytes: Buffer.from(content), isLarge: false }] as const,
    );
    this.#add(repository, "main", { title: "initial commit", files: new Map(stored) });
    return repository;
  }

  /** Files at the head of a branch, as text by path. */
  textsOf(name: string, branch = "main"): Readonly<Record<string, string>> {
    const { files } = this.headOf(name, branch);
    return Object.fromEntries(Array.from(files, ([path, { bytes }]) => [path, bytes.toString()]));
  }

  headOf(name: string, branch = "main"): Commit {
    const head = this.repositories.get(name)?.branches.get(branch);
    if (head === undefined) throw new Error(`there is no branch ${branch} of ${name}`);
    return head;
  }

  /** Puts a commit of somebody else on a branch. */
  commitBeside(name: string, path: string, text: string): string {
    const repository = this.repositories.get(name);
    if (repository === undefined) throw new Error(`there is no ${name}`);
    const files = new Map(this.headOf(name).files);
    files.set(path, { bytes: Buffer.from(text), isLarge: false });
    return this.#add(repository, "main", { title: "beside", files }).oid;
  }

  #add(
    repository: Repository,
    branch: string,
    { title, files }: Pick<Commit, "title" | "files">,
  ): Commit {
    const parent = repository.branches.get(branch)?.oid;
    const commit = { oid: oidOf(randomBytes(20).toString("hex")), title, parent, files };
    repository.branches.set(branch, commit);
    return commit;
  }

  protected answer(asked: Asked, response: ServerResponse): void {
    const { method, path } = asked;
    const { pathname } = new URL(path, this.url);
    const route = `${method} ${pathname}`;
    const right = this.#rightOf(asked);
    if (asked.headers.authorization !== undefined && right === undefined) {
      return refuse(response, 401, "Invalid credentials in Authorization header");
    }
    if (route === "POST /api/repos/create") return this.#createRepo(asked, right, response);
    if (route === "POST /api/validate-yaml") return json(response, { errors: [], warnings: [] });
    if (route === "GET /api/whoami-v2") {
      return json(response, { name: "me", type: "user", orgs: [] });
    }
    const match =
      /^\/api\/models\/([^/]+\/[^/]+)(?:\/([^/]+)(?:\/([^/]+))?)?$/.exec(pathname) ??
      /^\/([^/]+\/[^/]+?)(?:\.git\/info\/lfs\/objects\/(batch)|\/(resolve)\/([^/]+)\/(.+))$/.exec(
        pathname,
      );
    const [, name = "", api = match?.[3] ?? "info", first = "main", file = ""] = match ?? [];
    const repository = this.repositories.get(name);
    if (repository === undefined || (repository.isPrivate && right === undefined)) {
      return refuse(
        response,
        right === undefined ? 401 : 404,
        "Repository not found",
        "RepoNotFound",
      );
    }
    const revision = decodeURIComponent(api === "resolve" ? (match?.[4] ?? "") : first);
    const place = { name, repository, revision };
    if (api === "info" || api === "revision") return this.#info(place, response);
    if (api === "resolve") return this.#resolve(place, decodeURIComponent(match?.[5] ?? file), asked, response); // prettier-ignore
    if (right !== "write") return refuse(response, 403, "You don't have the rights to do that");
    if (api === "branch") return this.#createBranch(place, response);
    if (api === "preupload") return this.#preupload(place, asked, response);
    if (api === "batch") return this.#batch(asked, response);
    if (api === "commit") return this.#commit(place, asked, response);
    return refuse(response, 404, "Not found");
  }

  #rightOf({ headers }: Asked): "read" | "write" | undefined {
    return this.tokens.get(headers.authorization?.replace(/^Bearer /, "") ?? "");
  }

  #createRepo({ body }: Asked, right: string | undefined, response: ServerResponse): void {
    const { name, organization, visibility } = JSON.parse(body.toString()) as {
      readonly name: string;
      readonly organization?: string;
      readonly visibility?: string;
      readonly private?: boolean;
    };
    if (right !== "write") {
      return refuse(response, 403, "You don't have the rights to create a model");
    }
    const id = `${organization ?? "me"}/${name}`;
    if (this.repositories.has(id)) {
      return refuse(response, 409, "You already created this model repo");
    }
    this.create(id, visibility === "private");
    json(response, { url: `${this.url}/${id}`, name: id, id });
  }

  #find({ repository, revision }: Place): Commit | undefined {
    const commits = [...repository.branches.values()];
    return repository.branches.get(revision) ?? commits.find(({ oid }) => oid === revision);
  }

  #info(place: Place, response: ServerResponse): void {
    const commit = this.#find(place);
    if (commit === undefined) return refuse(response, 404, "Invalid rev id", "RevisionNotFound");
    const siblings = [...commit.files.keys()].map((rfilename) => ({ rfilename }));
    const { isPrivate } = place.repository;
    json(response, { _id: "x", id: place.name, sha: commit.oid, private: isPrivate, siblings });
  }

  #createBranch({ repository, revision }: Place, response: ServerResponse): void {
    if (repository.branches.has(revision)) return refuse(response, 409, "Reference already exists");
    const main = repository.branches.get("main");
    if (main !== undefined) repository.branches.set(revision, main);
    json(response, {});
  }

  #preupload(place: Place, { body }: Asked, response: ServerResponse): void {
    const { files } = JSON.parse(body.toString()) as { files: { path: string; size: number }[] };
    if (this.#find(place) === undefined) {
      return refuse(response, 404, "Invalid rev id", "RevisionNotFound");
    }
    json(response, {
      files: files.map(({ path, size }) => ({
        path,
        uploadMode: size > this.largeFrom ? "lfs" : "regular",
        shouldIgnore: false,
      })),
    });
  }

  #batch({ body }: Asked, response: ServerResponse): void {
    const { objects } = JSON.parse(body.toString()) as { objects: { oid: string; size: number }[] };
    json(response, { transfer: "basic", objects: objects.map((one) => this.#action(one)) });
  }

  #action({ oid, size }: { readonly oid: string; readonly size: number }): object {
    if (this.storage.files.has(oid)) return { oid, size };
    const href = `${this.storage.url}/${oid}?X-Signature=secretsignature`;
    if (size <= this.partBytes) return { oid, size, actions: { upload: { href } } };
    const parts = Array.from({ length: Math.ceil(size / this.partBytes) }, (_, i) => [
      String(i + 1).padStart(5, "0"),
      `${href}&part=${i + 1}`,
    ]);
    const header = { chunk_size: String(this.partBytes), ...Object.fromEntries(parts) } as object;
    return { oid, size, actions: { upload: { href, header } } };
  }

  #commit(place: Place, { path, body }: Asked, response: ServerResponse): void {
    const lines = body.toString().trim().split("\n");
    const entries = lines.map((line) => JSON.parse(line) as CommitLine);
    const header = entries.find(({ key }) => key === "header")?.value;
    const head = this.#find(place);
    if (head === undefined) return refuse(response, 404, "Invalid rev id", "RevisionNotFound");
    if (header?.parentCommit !== undefined && header.parentCommit !== head.oid) {
      return refuse(response, 412, "A commit has happened since. Please refresh and try again.");
    }
    const files = new Map(head.files);
    for (const { key, value } of entries) {
      const { path: name = "", content = "", oid = "", size = 0 } = value;
      if (key === "deletedFile") files.delete(name);
      if (key === "file") {
        files.set(name, { bytes: Buffer.from(content, "base64"), isLarge: false });
      }
      if (key !== "lfsFile") continue;
      const bytes = this.storage.files.get(oid);
      if (bytes === undefined || bytes.length !== size || sha256(bytes) !== oid) {
        this.storage.files.delete(oid);
        return refuse(response, 400, `The content of ${name} is not what its SHA-256 says`);
      }
      files.set(name, { bytes, isLarge: true });
    }
    const isPullRequest = path.includes("create_pr=1");
    const commit = { title: header?.summary ?? "", files };
    const { repository, name } = place;
    if (isPullRequest) {
      repository.pullRequests.push({
        ...commit,
        oid: oidOf(header?.summary ?? ""),
        parent: head.oid,
      });
    } else this.#add(repository, place.revision, commit);
    const { oid } = isPullRequest
      ? (repository.pullRequests.at(-1) as Commit)
      : this.headOf(name, place.revision);
    json(response, {
      success: true,
      commitOid: oid,
      commitUrl: `${this.url}/${name}/commit/${oid}`,
      hookOutput: "",
      ...(isPullRequest && { pullRequestUrl: `${this.url}/${name}/discussions/1` }),
    });
  }

  #resolve(place: Place, path: string, { method, headers }: Asked, response: ServerResponse): void {
    const commit = this.#find(place);
    if (commit === undefined) return refuse(response, 404, "Invalid rev id", "RevisionNotFound");
    const file = commit.files.get(path);
    response.setHeader("X-Repo-Commit", commit.oid);
    if (file === undefined) return refuse(response, 404, "Entry not found", "EntryNotFound");
    const { bytes, isLarge } = file;
    if (isLarge) {
      const oid = sha256(bytes);
      response.setHeader("X-Linked-ETag", `"${oid}"`);
      response.setHeader("X-Linked-Size", bytes.length);
      response.setHeader("Location", `${this.storage.url}/${oid}?X-Signature=secretsignature`);
      return void response.writeHead(302).end();
    }
    response.setHeader("ETag", `"${gitHash(bytes)}"`);
    if (method === "HEAD") {
      response.setHeader("Content-Length", bytes.length);
      return void response.end();
    }
    sendBytes(bytes, headers.range, response);
  }
}

/** What a request is about. */
interface Place {
  readonly name: string;
  readonly repository: Repository;
  readonly revision: string;
}

/** A line of a commit. */
interface CommitLine {
  readonly key: "header" | "file" | "lfsFile" | "deletedFile";
  readonly value: {
    readonly summary?: string;
    readonly parentCommit?: string;
    readonly path?: string;
    readonly content?: string;
    readonly oid?: string;
    readonly size?: number;
  };
}
