import { isFilterName, isTestName } from "./names.ts";
import type { Body, Expression, Statement, Target } from "./nodes.ts";
import { TemplateError } from "./template-error.ts";

type Node = Expression | Statement | Target;

/** Where parts of a template stand, as far as Python's compiler asks. */
interface Surroundings {
  /** In the branch of a condition, where a filter may be unknown until it is used. */
  readonly isConditional: boolean;
  /** In a loop of the same function, so that it can be left. */
  readonly inLoop: boolean;
  /** Anywhere within a loop, where its variable cannot be assigned to. */
  readonly underLoop: boolean;
}

/** Parts that stand in one place. */
interface Group extends Surroundings {
  readonly nodes: readonly Node[];
}

/** Adds the nodes directly in a value, which may be a node, a list, or a record of them. */
function collect(value: object, into: Node[]): Node[] {
  for (const part of Object.values(value) as unknown[]) {
    if (typeof part !== "object" || part === null) continue;
    if (!("kind" in part)) collect(part, into);
    else if (part.kind !== "constant" && part.kind !== "text") into.push(part as Node);
  }
  return into;
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

/** The parts of a node. */
function groupsIn(node: Node, place: Surroundings): Group[] {
  if (node.kind === "for") {
    const { body, otherwise, target, test, over } = node;
    const outside = { isConditional: false, inLoop: place.inLoop, underLoop: true };
    return [
      { ...outside, nodes: [over], isConditional: place.isConditional },
      { ...outside, nodes: collect([target, test, otherwise], []) },
      { ...outside, nodes: body, inLoop: true },
    ];
  }
  const nodes = collect(node, []);
  if (nodes.length === 0) return [];
  const isBranch = node.kind === "if" || node.kind === "condition";
  const isConditional = isBranch || (place.isConditional && !SCOPES.has(node.kind));
  const inLoop = place.inLoop && !FUNCTIONS.has(node.kind);
  return [{ nodes, isConditional, inLoop, underLoop: place.underLoop }];
}

function checkNode(node: Node, place: Surroundings, blocks: Set<string>): void {
  const { isConditional, inLoop, underLoop } = place;
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
  const groups: Group[] = [{ nodes: body, isConditional: false, inLoop: false, underLoop: false }];
  for (let group = groups.pop(); group !== undefined; group = groups.pop()) {
    for (const node of group.nodes) {
      checkNode(node, group, blocks);
      groups.push(...groupsIn(node, group));
    }
  }
}

/** Which of the names a body reads, in macros within it too. */
export function namesUsed(body: Body, names: readonly string[]): ReadonlySet<string> {
  const used = new Set<string>();
  const nodes: Node[] = [...body];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    if (node.kind === "name" && names.includes(node.name)) used.add(node.name);
    collect(node, nodes);
  }
  return used;
}
