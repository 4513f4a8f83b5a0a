import { FileSourceError } from "./file-source-error.ts";
import type { NodeModules } from "./node.ts";

type Environment = NodeModules["env"];

const YES: ReadonlySet<string> = new Set(["1", "ON", "YES", "TRUE"]);

function isOn(env: Environment, name: string): boolean {
  return YES.has(env[name]?.trim().toUpperCase() ?? "");
}

/** A variable that is set, and not to blanks. */
function textOf(env: Environment, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const text = env[name]?.trim();
    if (text !== undefined && text !== "") return text;
  }
  return undefined;
}

function pathOf(node: NodeModules, ...names: readonly string[]): string | undefined {
  const text = textOf(node.env, ...names);
  return text?.replace(/^~(?=$|[\\/])/, () => node.os.homedir());
}

/** Where Python's `huggingface_hub` keeps all that is its own. */
function homeOf(node: NodeModules): string {
  const cache = pathOf(node, "XDG_CACHE_HOME") ?? node.path.join(node.os.homedir(), ".cache");
  return pathOf(node, "HF_HOME") ?? node.path.join(cache, "huggingface");
}

/** Where Python's `huggingface_hub` keeps downloads. */
export function hubCacheDirectory(node: NodeModules): string {
  const named = pathOf(node, "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE");
  return named ?? node.path.join(homeOf(node), "hub");
}

/** Whether the environment forbids to ask the Hub. */
export function isOffline(node: NodeModules | undefined): boolean {
  if (node === undefined) return false;
  return isOn(node.env, "HF_HUB_OFFLINE") || isOn(node.env, "TRANSFORMERS_OFFLINE");
}

/** Seconds without a byte after which a request is given up, if the environment says. */
export function environmentTimeout(node: NodeModules | undefined): number | undefined {
  const seconds = Number(node?.env["HF_HUB_DOWNLOAD_TIMEOUT"]?.trim() ?? "");
  return seconds > 0 ? seconds : undefined;
}

/** The Hub's URL, without a slash at its end. */
export function hubUrlOf(given: string | undefined, node: NodeModules | undefined): URL {
  const text = given ?? textOf(node?.env ?? {}, "HF_ENDPOINT") ?? "https://huggingface.co";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== "") {
    const which = given === undefined ? "HF_ENDPOINT" : "hubUrl";
    throw new FileSourceError(
      "name",
      `${which} is not an http or https URL without a query, such as "https://huggingface.co"`,
    );
  }
  return url;
}

/** A token for the Hub. */
export interface HubToken {
  readonly token: string;
  /** Where it was found, for messages, which never say it itself. */
  readonly from: string;
}

async function tokenFile(node: NodeModules): Promise<HubToken | undefined> {
  const path = pathOf(node, "HF_TOKEN_PATH") ?? node.path.join(homeOf(node), "token");
  // Whatever keeps it from being read: public repositories need none, and others will say so.
  const token = (await node.fs.readFile(path, "utf8").catch(() => "")).trim();
  return token === "" ? undefined : { token, from: `the file ${path} of \`hf auth login\`` };
}

/** The token that is there without being given, as Python's `huggingface_hub` finds it. */
async function implicitToken(node: NodeModules | undefined): Promise<HubToken | undefined> {
  if (node === undefined || isOn(node.env, "HF_HUB_DISABLE_IMPLICIT_TOKEN")) return undefined;
  for (const name of ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"]) {
    const token = textOf(node.env, name);
    if (token !== undefined) return { token, from: `the environment variable ${name}` };
  }
  return tokenFile(node);
}

/**
 * The token to send to the Hub, or none.
 * @throws {@link FileSourceError}, which never says it, for one that cannot be sent.
 */
export async function hubToken(
  given: string | boolean | undefined,
  node: NodeModules | undefined,
): Promise<HubToken | undefined> {
  if (given === false) return undefined;
  const found =
    typeof given === "string"
      ? { token: given.trim(), from: "the option `token`" }
      : await implicitToken(node);
  if (given === true && found === undefined) {
    throw new FileSourceError(
      "unauthorized",
      "token is true, but there is none in HF_TOKEN, and none of `hf auth login`",
    );
  }
  if (found === undefined || found.token === "") return undefined;
  if (/^[\x21-\x7e]+$/.test(found.token)) return found;
  throw new FileSourceError(
    "unauthorized",
    `the token for the Hugging Face Hub, that of ${found.from}, has characters that none has: ` +
      "blanks, line breaks or others than those of ASCII",
  );
}
