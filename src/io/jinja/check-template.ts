import { isFilterName, isTestName } from "./names.ts";
import type { Body, Expression, Statement, Target } from "./nodes.ts";
import { TemplateError } from "./template-error.ts";

type Node = Expression | Statement | Target;

/** Where a part of a template stands, as far as Python's compiler asks. */
interface Place {
  readonly node: Node;
  /** In the branch of a condition, where a filter may be unknown until it is used. */
  readonly isConditional: boolean;
  /** In a loop of the same function, so that it can be left. */
  readonly inLoop: boolean;
  /** Anywhere within a loop, where its variable cannot be assigned to. */
  readonly underLoop: boolean;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "kind" in value;
}

/** The nodes directly in a value, which may be a node, a list, or a record of them. */
function nodesIn(value: unknown): Node[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap((part: unknown) => (isNode(part) ? [part] : nodesIn(part)));
}

/** Statements whose bodies Python makes functions of. */
const FUNCTIONS: ReadonlySet<string> = new Set(["macro", "callBlock", "generation", "block"]);
const SCOPES: ReadonlySet<string> = new Set([
  ...FUNCTIONS,
  "for",
  "setBlock",
  "filterBlock",
  "with",
  "autoescape",
]);

function placesIn({ node, isConditional, inLoop, underLoop }: Place): Place[] {
  if (node.kind === "for") {
    const { body, otherwise, target, test, over } = node;
    const outside = { isConditional: false, inLoop, underLoop: true };
    return [
      { ...outside, node: over, isConditional },
      ...nodesIn([target, test, otherwise]).map((part) => ({ ...outside, node: part })),
      ...body.map((part) => ({ ...outside, node: part, inLoop: true })),
    ];
  }
  const isBranch = node.kind === "if" || node.kind === "condition";
  const place = {
    isConditional: isBranch || (isConditional && !SCOPES.has(node.kind)),
    inLoop: inLoop && !FUNCTIONS.has(node.kind),
    underLoop,
  };
  return nodesIn(node).map((part) => ({ ...place, node: part }));
}

function checkPlace({ node, isConditional, inLoop, underLoop }: Place, blocks: Set<string>): void {
  if ((node.kind === "break" || node.kind === "continue") && !inLoop) {
    throw new TemplateError(`'${node.kind}' outside loop`);
  }
  if (node.kind === "nameTarget" && node.name === "loop" && underLoop) {
    throw new TemplateError("Can't assign to special loop variable in for-loop target");
  }
  if (node.kind === "filter" && !isConditional && !isFilterName(node.name)) {
    throw new TemplateError(`No filter named '${node.name}'.`);
  }
  if (node.kind === "test" && !isConditional && !isTestName(node.name)) {
    throw new TemplateError(`No test named '${node.name}'.`);
  }
  if (node.kind !== "block") return;
  if (blocks.has(node.name)) throw new TemplateError(`block '${node.name}' defined twice`);
  blocks.add(node.name);
}

/** @throws TemplateError for what Python's compiler refuses in a template that can be read. */
export function checkTemplate(body: Body): void {
  const blocks = new Set<string>();
  const place = { isConditional: false, inLoop: false, underLoop: false };
  const places = body.map((node): Place => ({ ...place, node }));
  for (let next = places.pop(); next !== undefined; next = places.pop()) {
    checkPlace(next, blocks);
    for (const inner of placesIn(next)) places.push(inner);
  }
}

/** Which of the names a body reads, in macros within it too. */
export function namesUsed(body: Body, names: readonly string[]): ReadonlySet<string> {
  const used = new Set<string>();
  const nodes: Node[] = [...body];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    if (node.kind === "name" && names.includes(node.name)) used.add(node.name);
    for (const inner of nodesIn(node)) nodes.push(inner);
  }
  return used;
}
