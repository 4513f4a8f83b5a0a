import type {
  ArgumentNodes,
  BinaryOperator,
  ComparisonOperator,
  Expression,
  ExpressionOf,
} from "./nodes.ts";
import type { TokenStream } from "./token-stream.ts";

const NO_ARGUMENTS: ArgumentNodes = {
  positional: [],
  named: [],
  spread: undefined,
  namedSpread: undefined,
};

const CONSTANTS: Readonly<Record<string, null | boolean>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
};

export interface TupleOptions {
  /** Whether `a if b else c` may stand here; it may not where an `if` follows. */
  readonly conditions?: boolean;
  readonly inParentheses?: boolean;
}

/** An expression, or several with commas between, which are a tuple. */
export function parseTuple(stream: TokenStream, options: TupleOptions = {}): Expression {
  const items: Expression[] = [];
  let commas = 0;
  while (!endsTuple(stream)) {
    items.push(parseExpression(stream, options.conditions));
    if (!stream.skipOperator(",")) break;
    commas += 1;
  }
  const [first] = items;
  if (commas === 0 && first !== undefined) return first;
  if (commas === 0 && options.inParentheses !== true) {
    stream.fail(`Expected an expression, got '${stream.describe()}'`);
  }
  return { kind: "tuple", items };
}

function endsTuple(stream: TokenStream): boolean {
  const { type } = stream.current;
  return type === "endTag" || type === "endOutput" || stream.isOperator(")");
}

export function parseExpression(stream: TokenStream, conditions = true): Expression {
  return stream.nested(() => (conditions ? parseCondition(stream) : parseOr(stream)));
}

function parseCondition(stream: TokenStream): Expression {
  let value = parseOr(stream);
  for (let links = 0; stream.skipName("if"); links++) {
    stream.checkChain(links);
    const test = parseOr(stream);
    const otherwise = stream.skipName("else")
      ? stream.nested(() => parseCondition(stream))
      : undefined;
    value = { kind: "condition", test, value, otherwise };
  }
  return value;
}

function parseOr(stream: TokenStream): Expression {
  let left = parseAnd(stream);
  for (let links = 0; stream.skipName("or"); links++) {
    stream.checkChain(links);
    left = { kind: "or", left, right: parseAnd(stream) };
  }
  return left;
}

function parseAnd(stream: TokenStream): Expression {
  let left = parseNot(stream);
  for (let links = 0; stream.skipName("and"); links++) {
    stream.checkChain(links);
    left = { kind: "and", left, right: parseNot(stream) };
  }
  return left;
}

function parseNot(stream: TokenStream): Expression {
  if (!stream.skipName("not")) return parseComparison(stream);
  return { kind: "not", of: stream.nested(() => parseNot(stream)) };
}

const COMPARISONS: readonly ComparisonOperator[] = ["==", "!=", "<", "<=", ">", ">="];

function comparisonOperator(stream: TokenStream): ComparisonOperator | undefined {
  const found = stream.operatorAmong(COMPARISONS);
  if (found !== undefined || stream.isName("in")) {
    stream.next();
    return found ?? "in";
  }
  const next = stream.isName("not") ? stream.look() : undefined;
  if (next?.type !== "name" || next.text !== "in") return undefined;
  stream.next();
  stream.next();
  return "not in";
}

function parseComparison(stream: TokenStream): Expression {
  const first = parseSum(stream);
  const rest: [ComparisonOperator, Expression][] = [];
  let operator = comparisonOperator(stream);
  while (operator !== undefined) {
    rest.push([operator, parseSum(stream)]);
    operator = comparisonOperator(stream);
  }
  return rest.length === 0 ? first : { kind: "comparison", first, rest };
}

function parseBinary(
  stream: TokenStream,
  operators: readonly BinaryOperator[],
  parseOperand: (stream: TokenStream) => Expression,
): Expression {
  let left = parseOperand(stream);
  for (let links = 0; ; links++) {
    const operator = stream.operatorAmong(operators);
    if (operator === undefined) return left;
    stream.checkChain(links);
    stream.next();
    left = { kind: "binary", operator, left, right: parseOperand(stream) };
  }
}

function parseSum(stream: TokenStream): Expression {
  return parseBinary(stream, ["+", "-"], parseConcat);
}

function parseConcat(stream: TokenStream): Expression {
  const first = parseProduct(stream);
  const parts = [first];
  while (stream.skipOperator("~")) parts.push(parseProduct(stream));
  return parts.length === 1 ? first : { kind: "concat", parts };
}

function parseProduct(stream: TokenStream): Expression {
  return parseBinary(stream, ["*", "/", "//", "%"], parsePower);
}

/** In Jinja `**` groups from the left, unlike in Python. */
function parsePower(stream: TokenStream): Expression {
  return parseBinary(stream, ["**"], (operands) => parseUnary(operands, true));
}

const SIGNS = ["-", "+"] as const;

function parseUnary(stream: TokenStream, withFilters: boolean): Expression {
  const sign = stream.operatorAmong(SIGNS);
  let node: Expression;
  if (sign === undefined) node = parsePrimary(stream);
  else {
    stream.next();
    const of = stream.nested(() => parseUnary(stream, false));
    node = { kind: sign === "-" ? "negative" : "positive", of };
  }
  node = parsePostfix(stream, node);
  return withFilters ? parseFilters(stream, node) : node;
}

function parsePrimary(stream: TokenStream): Expression {
  const token = stream.current;
  if (token.type === "name") {
    stream.next();
    const constant = Object.hasOwn(CONSTANTS, token.text) ? CONSTANTS[token.text] : undefined;
    return constant === undefined
      ? { kind: "name", name: token.text }
      : { kind: "constant", value: constant };
  }
  if (token.type === "string") return { kind: "constant", value: parseText(stream) };
  if (token.type === "integer" || token.type === "float") {
    stream.next();
    return { kind: "constant", value: token.value };
  }
  if (stream.skipOperator("(")) {
    const inside = parseTuple(stream, { inParentheses: true });
    stream.expectOperator(")");
    return inside;
  }
  if (stream.isOperator("[")) return parseList(stream);
  if (stream.isOperator("{")) return parseDict(stream);
  return stream.fail(`unexpected '${stream.describe()}'`);
}

/** Texts side by side are one. */
function parseText(stream: TokenStream): string {
  let text = "";
  while (stream.current.type === "string") text += stream.next().text;
  return text;
}

function parseList(stream: TokenStream): Expression {
  stream.expectOperator("[");
  const items: Expression[] = [];
  while (!stream.isOperator("]")) {
    if (items.length > 0) stream.expectOperator(",");
    if (stream.isOperator("]")) break;
    items.push(parseExpression(stream));
  }
  stream.expectOperator("]");
  return { kind: "list", items };
}

function parseDict(stream: TokenStream): Expression {
  stream.expectOperator("{");
  const pairs: [Expression, Expression][] = [];
  while (!stream.isOperator("}")) {
    if (pairs.length > 0) stream.expectOperator(",");
    if (stream.isOperator("}")) break;
    const key = parseExpression(stream);
    stream.expectOperator(":");
    pairs.push([key, parseExpression(stream)]);
  }
  stream.expectOperator("}");
  return { kind: "dict", pairs };
}

/** Attributes, items and calls after a value. */
function parsePostfix(stream: TokenStream, start: Expression): Expression {
  let node = start;
  for (let links = 0; ; links++) {
    if (stream.isOperator(".")) node = parseAttribute(stream, node);
    else if (stream.isOperator("[")) node = parseItem(stream, node);
    else if (stream.isOperator("(")) node = parseCall(stream, node);
    else return node;
    stream.checkChain(links);
  }
}

function parseAttribute(stream: TokenStream, of: Expression): Expression {
  stream.expectOperator(".");
  const token = stream.next();
  if (token.type === "name") return { kind: "attribute", of, name: token.text };
  if (token.type !== "integer") return stream.fail("expected name or number");
  return { kind: "item", of, index: { kind: "constant", value: token.value } };
}

function parseItem(stream: TokenStream, of: Expression): Expression {
  stream.expectOperator("[");
  const parts: Expression[] = [];
  let slice: ExpressionOf<"slice"> | undefined;
  while (!stream.isOperator("]")) {
    if (parts.length > 0 || slice !== undefined) stream.expectOperator(",");
    const start = stream.isOperator(":") ? undefined : parseExpression(stream);
    if (start !== undefined && !stream.isOperator(":")) parts.push(start);
    else slice = { kind: "slice", of, bounds: parseBounds(stream, start) };
  }
  stream.expectOperator("]");
  if (slice !== undefined && parts.length === 0) return slice;
  if (slice !== undefined) return stream.fail("a slice among several indices is not rendered here");
  const [index] = parts;
  return {
    kind: "item",
    of,
    index: parts.length === 1 && index !== undefined ? index : { kind: "tuple", items: parts },
  };
}

function parseBounds(
  stream: TokenStream,
  start: Expression | undefined,
): ExpressionOf<"slice">["bounds"] {
  const bound = (): Expression | undefined =>
    stream.isOperator(":", "]", ",") ? undefined : parseExpression(stream);
  stream.expectOperator(":");
  const stop = bound();
  return [start, stop, stream.skipOperator(":") ? bound() : undefined];
}

function parseCall(stream: TokenStream, callee: Expression): ExpressionOf<"call"> {
  return { kind: "call", callee, given: parseArguments(stream) };
}

function parseArguments(stream: TokenStream): ArgumentNodes {
  stream.expectOperator("(");
  const positional: Expression[] = [];
  const named: [string, Expression][] = [];
  let spread: Expression | undefined;
  let namedSpread: Expression | undefined;
  const require = (allowed: boolean): void => {
    if (!allowed) stream.fail("invalid syntax for function call expression");
  };
  for (let first = true; !stream.isOperator(")"); first = false) {
    if (!first) stream.expectOperator(",");
    if (stream.isOperator(")")) break;
    if (stream.skipOperator("*")) {
      require(spread === undefined && namedSpread === undefined);
      spread = parseExpression(stream);
    } else if (stream.skipOperator("**")) {
      require(namedSpread === undefined);
      namedSpread = parseExpression(stream);
    } else if (isNamed(stream)) {
      require(namedSpread === undefined);
      named.push(parseNamed(stream));
    } else {
      require(spread === undefined && namedSpread === undefined && named.length === 0);
      positional.push(parseExpression(stream));
    }
  }
  stream.expectOperator(")");
  return { positional, named, spread, namedSpread };
}

function isNamed(stream: TokenStream): boolean {
  if (stream.current.type !== "name") return false;
  const next = stream.look();
  return next.type === "operator" && next.text === "=";
}

function parseNamed(stream: TokenStream): [string, Expression] {
  const name = stream.expectName();
  stream.expectOperator("=");
  return [name, parseExpression(stream)];
}

/** Filters, tests and calls of their results, one after the other. */
function parseFilters(stream: TokenStream, start: Expression): Expression {
  let node = start;
  for (let links = 0; ; links++) {
    if (stream.skipOperator("|")) node = parseFilter(stream, node);
    else if (stream.skipName("is")) node = parseTest(stream, node);
    else if (stream.isOperator("(")) node = parseCall(stream, node);
    else return node;
    stream.checkChain(links);
  }
}

function parseDottedName(stream: TokenStream): string {
  let name = stream.expectName();
  while (stream.skipOperator(".")) name += `.${stream.expectName()}`;
  return name;
}

function parseFilter(stream: TokenStream, of: Expression | undefined): Expression {
  const name = parseDottedName(stream);
  const given = stream.isOperator("(") ? parseArguments(stream) : NO_ARGUMENTS;
  return { kind: "filter", of, name, given };
}

/** The filters of a block, of which the first filters the block. */
export function parseBlockFilters(stream: TokenStream): Expression {
  let node = parseFilter(stream, undefined);
  for (let links = 0; stream.skipOperator("|"); links++) {
    stream.checkChain(links);
    node = parseFilter(stream, node);
  }
  return node;
}

/** A test's argument may stand without parentheses. */
function parseTest(stream: TokenStream, of: Expression): Expression {
  const isNot = stream.skipName("not");
  const name = parseDottedName(stream);
  let given = NO_ARGUMENTS;
  if (stream.isOperator("(")) given = parseArguments(stream);
  else if (startsArgument(stream)) {
    if (stream.isName("is")) stream.fail("You cannot chain multiple tests with is");
    given = { ...NO_ARGUMENTS, positional: [parsePostfix(stream, parsePrimary(stream))] };
  }
  const test: Expression = { kind: "test", of, name, given };
  return isNot ? { kind: "not", of: test } : test;
}

function startsArgument(stream: TokenStream): boolean {
  const { type } = stream.current;
  if (type === "name") return !stream.isName("else", "or", "and");
  return type === "string" || type === "integer" || type === "float" || stream.isOperator("[", "{");
}
