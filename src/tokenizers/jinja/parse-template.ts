import type { Body, Expression, Parameter, Statement, Target } from "./nodes.ts";
import { parseBlockFilters, parseExpression, parseTuple } from "./parse-expression.ts";
import { checkTemplate } from "./check-template.ts";
import { TokenStream } from "./token-stream.ts";

const TAGS = {
  for: parseFor,
  if: parseIf,
  set: parseSet,
  macro: parseMacro,
  call: parseCallBlock,
  filter: parseFilterBlock,
  with: parseWith,
  block: parseBlock,
  autoescape: parseAutoescape,
  print: parsePrint,
  generation: parseGeneration,
  break: parseJump,
  continue: parseJump,
  include: parseOtherTemplate,
  import: parseOtherTemplate,
  from: parseOtherTemplate,
  extends: parseOtherTemplate,
} satisfies Readonly<Record<string, (stream: TokenStream) => Statement>>;

/**
 * Reads a template as transformers' Jinja does.
 * @throws TemplateError when it is not one.
 */
export function parseTemplate(source: string): Body {
  const stream = new TokenStream(source);
  const body = parseUntil(stream, []);
  checkTemplate(body);
  return body;
}

/** Statements up to one of the tags named, whose name is the next token then. */
function parseUntil(stream: TokenStream, ends: readonly string[]): Body {
  const body: Statement[] = [];
  for (;;) {
    const token = stream.current;
    if (token.type === "data") {
      body.push({ kind: "text", text: stream.next().text });
    } else if (token.type === "beginOutput") {
      stream.next();
      body.push({ kind: "output", values: [parseTuple(stream)] });
      stream.expect("endOutput");
    } else if (token.type === "beginTag") {
      stream.next();
      if (stream.isName(...ends)) return body;
      body.push(stream.nested(() => parseTag(stream, ends)));
      stream.expect("endTag");
    } else if (ends.length === 0) {
      return body;
    } else {
      stream.fail(`Unexpected end of template. Looking for ${ends.join(" or ")}`);
    }
  }
}

function parseTag(stream: TokenStream, ends: readonly string[]): Statement {
  if (stream.current.type !== "name") return stream.fail("tag name expected");
  const name = stream.current.text;
  if (Object.hasOwn(TAGS, name)) return TAGS[name as keyof typeof TAGS](stream);
  const wanted = ends.length === 0 ? "" : ` Looking for ${ends.join(" or ")}.`;
  return stream.fail(`Encountered unknown tag '${name}'.${wanted}`);
}

/** The rest of a tag and what stands up to the tag that ends it, which is left to be read. */
function parseBody(stream: TokenStream, ...ends: readonly string[]): Body {
  stream.skipOperator(":");
  stream.expect("endTag");
  return parseUntil(stream, ends);
}

/** The same, and the name of the tag that ends it is read too. */
function parseWhole(stream: TokenStream, end: string): Body {
  const body = parseBody(stream, end);
  stream.next();
  return body;
}

function checkAssignable(stream: TokenStream, name: string): string {
  if (["true", "True", "false", "False", "none", "None"].includes(name)) {
    stream.fail(`can't assign to '${name}'`);
  }
  return name;
}

function parseTargetName(stream: TokenStream): string {
  return checkAssignable(stream, stream.expectName());
}

function parseOneTarget(stream: TokenStream, namespaces: boolean): Target {
  if (stream.skipOperator("(")) {
    const inside = stream.nested(() => parseTarget(stream, namespaces, true));
    stream.expectOperator(")");
    return inside;
  }
  const name = parseTargetName(stream);
  if (!namespaces || !stream.skipOperator(".")) return { kind: "nameTarget", name };
  return { kind: "namespaceTarget", name, attribute: stream.expectName() };
}

function parseTarget(stream: TokenStream, namespaces: boolean, inParentheses = false): Target {
  const items: Target[] = [];
  let commas = 0;
  while (!stream.isOperator("=", ")") && stream.current.type !== "endTag") {
    items.push(parseOneTarget(stream, namespaces));
    if (!stream.skipOperator(",")) break;
    commas += 1;
  }
  const [first] = items;
  if (commas === 0 && first !== undefined) return first;
  if (commas === 0 && !inParentheses) stream.fail("Expected a name to assign to");
  return { kind: "tupleTarget", items };
}

function parseFor(stream: TokenStream): Statement {
  stream.next();
  const target = parseTarget(stream, false);
  if (!stream.skipName("in")) stream.fail(`expected token 'in', got '${stream.describe()}'`);
  const over = parseTuple(stream, { conditions: false });
  const test = stream.skipName("if") ? parseExpression(stream) : undefined;
  const recursive = stream.skipName("recursive");
  const body = parseBody(stream, "endfor", "else");
  const otherwise = stream.next().text === "else" ? parseWhole(stream, "endfor") : [];
  return { kind: "for", target, over, test, recursive, body, otherwise };
}

function parseIf(stream: TokenStream): Statement {
  const branches: [Expression, Body][] = [];
  let otherwise: Body = [];
  let tag = stream.next().text;
  while (tag === "if" || tag === "elif") {
    const test = parseTuple(stream, { conditions: false });
    branches.push([test, parseBody(stream, "elif", "else", "endif")]);
    tag = stream.next().text;
  }
  if (tag === "else") otherwise = parseWhole(stream, "endif");
  return { kind: "if", branches, otherwise };
}

function parseSet(stream: TokenStream): Statement {
  stream.next();
  const target = parseTarget(stream, true);
  if (stream.skipOperator("=")) return { kind: "set", target, value: parseTuple(stream) };
  const filter = stream.skipOperator("|") ? parseBlockFilters(stream) : undefined;
  return { kind: "setBlock", target, filter, body: parseWhole(stream, "endset") };
}

function parseSignature(stream: TokenStream): Parameter[] {
  const parameters: Parameter[] = [];
  stream.expectOperator("(");
  while (!stream.isOperator(")")) {
    if (parameters.length > 0) stream.expectOperator(",");
    const name = parseTargetName(stream);
    if (parameters.some((known) => known.name === name)) {
      stream.fail(`duplicate argument '${name}' in a macro`);
    }
    const fallback = stream.skipOperator("=") ? parseExpression(stream) : undefined;
    if (fallback === undefined && parameters.at(-1)?.fallback !== undefined) {
      stream.fail("non-default argument follows default argument");
    }
    parameters.push({ name, fallback });
  }
  stream.expectOperator(")");
  return parameters;
}

function parseMacro(stream: TokenStream): Statement {
  stream.next();
  const name = parseTargetName(stream);
  const parameters = parseSignature(stream);
  return { kind: "macro", name, parameters, body: parseWhole(stream, "endmacro") };
}

function parseCallBlock(stream: TokenStream): Statement {
  stream.next();
  const parameters = stream.isOperator("(") ? parseSignature(stream) : [];
  const call = parseExpression(stream);
  if (call.kind !== "call") return stream.fail("expected call");
  return { kind: "callBlock", call, parameters, body: parseWhole(stream, "endcall") };
}

function parseFilterBlock(stream: TokenStream): Statement {
  stream.next();
  const filter = parseBlockFilters(stream);
  return { kind: "filterBlock", filter, body: parseWhole(stream, "endfilter") };
}

function parseWith(stream: TokenStream): Statement {
  stream.next();
  const bindings: [Target, Expression][] = [];
  while (stream.current.type !== "endTag") {
    if (bindings.length > 0) stream.expectOperator(",");
    const target = parseTarget(stream, false);
    stream.expectOperator("=");
    bindings.push([target, parseExpression(stream)]);
  }
  return { kind: "with", bindings, body: parseWhole(stream, "endwith") };
}

function parseBlock(stream: TokenStream): Statement {
  stream.next();
  const name = stream.expectName();
  const scoped = stream.skipName("scoped");
  if (stream.isName("required")) stream.fail("a required block is not rendered here");
  const body = parseWhole(stream, "endblock");
  stream.skipName(name);
  return { kind: "block", name, scoped, body };
}

function parseAutoescape(stream: TokenStream): Statement {
  stream.next();
  const on = parseExpression(stream);
  return { kind: "autoescape", on, body: parseWhole(stream, "endautoescape") };
}

function parsePrint(stream: TokenStream): Statement {
  stream.next();
  const values: Expression[] = [];
  while (stream.current.type !== "endTag") {
    if (values.length > 0) stream.expectOperator(",");
    values.push(parseExpression(stream));
  }
  return { kind: "output", values };
}

function parseGeneration(stream: TokenStream): Statement {
  stream.next();
  return { kind: "generation", body: parseWhole(stream, "endgeneration") };
}

function parseJump(stream: TokenStream): Statement {
  return stream.next().text === "break" ? { kind: "break" } : { kind: "continue" };
}

/** There is no other template, so what the tag says beyond its name is not looked at. */
function parseOtherTemplate(stream: TokenStream): Statement {
  const tag = stream.next().text;
  while (stream.current.type !== "endTag" && stream.current.type !== "end") stream.next();
  return { kind: "otherTemplate", tag };
}
