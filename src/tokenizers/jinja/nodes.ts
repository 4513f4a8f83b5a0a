/** The tree of a template. */

export type BinaryOperator = "+" | "-" | "*" | "/" | "//" | "%" | "**";
export type ComparisonOperator = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in";

/** What a call, filter or test is given. */
export interface ArgumentNodes {
  readonly positional: readonly Expression[];
  readonly named: readonly (readonly [name: string, value: Expression])[];
  /** `*values` and `**values`. */
  readonly spread: Expression | undefined;
  readonly namedSpread: Expression | undefined;
}

/** Expressions by their kind. */
export interface ExpressionFields {
  constant: { readonly value: null | boolean | bigint | number | string };
  name: { readonly name: string };
  list: { readonly items: readonly Expression[] };
  tuple: { readonly items: readonly Expression[] };
  dict: { readonly pairs: readonly (readonly [Expression, Expression])[] };
  attribute: { readonly of: Expression; readonly name: string };
  item: { readonly of: Expression; readonly index: Expression };
  slice: {
    readonly of: Expression;
    readonly bounds: readonly [
      Expression | undefined,
      Expression | undefined,
      Expression | undefined,
    ];
  };
  call: { readonly callee: Expression; readonly given: ArgumentNodes };
  /** `of` is undefined in a filter block, which filters what is written in it. */
  filter: {
    readonly of: Expression | undefined;
    readonly name: string;
    readonly given: ArgumentNodes;
  };
  test: { readonly of: Expression; readonly name: string; readonly given: ArgumentNodes };
  negative: { readonly of: Expression };
  positive: { readonly of: Expression };
  not: { readonly of: Expression };
  and: { readonly left: Expression; readonly right: Expression };
  or: { readonly left: Expression; readonly right: Expression };
  binary: {
    readonly operator: BinaryOperator;
    readonly left: Expression;
    readonly right: Expression;
  };
  concat: { readonly parts: readonly Expression[] };
  comparison: {
    readonly first: Expression;
    readonly rest: readonly (readonly [ComparisonOperator, Expression])[];
  };
  condition: {
    readonly test: Expression;
    readonly value: Expression;
    readonly otherwise: Expression | undefined;
  };
}

export type ExpressionKind = keyof ExpressionFields;
export type ExpressionOf<K extends ExpressionKind> = { readonly kind: K } & ExpressionFields[K];
export type Expression = { [K in ExpressionKind]: ExpressionOf<K> }[ExpressionKind];

/** What can be assigned to: a name, an attribute of a namespace, or several of them. */
export type Target =
  | { readonly kind: "nameTarget"; readonly name: string }
  | { readonly kind: "namespaceTarget"; readonly name: string; readonly attribute: string }
  | { readonly kind: "tupleTarget"; readonly items: readonly Target[] };

export interface Parameter {
  readonly name: string;
  readonly fallback: Expression | undefined;
}

export type Body = readonly Statement[];

/** Statements by their kind. */
export interface StatementFields {
  text: { readonly text: string };
  output: { readonly values: readonly Expression[] };
  if: {
    readonly branches: readonly (readonly [test: Expression, body: Body])[];
    readonly otherwise: Body;
  };
  for: {
    readonly target: Target;
    readonly over: Expression;
    readonly test: Expression | undefined;
    readonly recursive: boolean;
    readonly body: Body;
    readonly otherwise: Body;
  };
  set: { readonly target: Target; readonly value: Expression };
  setBlock: {
    readonly target: Target;
    readonly filter: Expression | undefined;
    readonly body: Body;
  };
  macro: { readonly name: string; readonly parameters: readonly Parameter[]; readonly body: Body };
  callBlock: {
    readonly call: ExpressionOf<"call">;
    readonly parameters: readonly Parameter[];
    readonly body: Body;
  };
  filterBlock: { readonly filter: Expression; readonly body: Body };
  with: { readonly bindings: readonly (readonly [Target, Expression])[]; readonly body: Body };
  autoescape: { readonly on: Expression; readonly body: Body };
  block: { readonly name: string; readonly scoped: boolean; readonly body: Body };
  /** transformers' tag around what the assistant says. */
  generation: { readonly body: Body };
  break: object;
  continue: object;
  /** A tag that reads another template, of which there is none. */
  otherTemplate: { readonly tag: string };
}

export type StatementKind = keyof StatementFields;
export type StatementOf<K extends StatementKind> = { readonly kind: K } & StatementFields[K];
export type Statement = { [K in StatementKind]: StatementOf<K> }[StatementKind];
