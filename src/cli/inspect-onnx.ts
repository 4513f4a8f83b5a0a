import { bytesText } from "../base/quantities.ts";
import type { InspectedOnnx, InspectedScope, InspectedValue } from "../onnx/inspect-onnx.ts";
import type { Report } from "./io.ts";

/** What `tsvene inspect` says of an ONNX file. */
export async function inspectOnnxFile(place: string, all: boolean): Promise<Report> {
  const { inspectOnnx } = await import("../onnx/inspect-onnx.ts");
  const found = await inspectOnnx(place);
  return { json: found, text: async () => linesOf(place, found, all).join("\n") };
}

function linesOf(place: string, found: InspectedOnnx, all: boolean): string[] {
  const { producer, opsets, inputs, outputs, operators, opaque, bytes, tree } = found;
  const versions = Object.entries(opsets).map(([domain, n]) => `${domain || "ONNX"} ${n}`);
  const counted = Object.entries(operators).map(([op, n]) => `${op} x${n}`);
  return [
    `place     ${place}`,
    `written   ${producer || "by whom is not said"}, operators of ${versions.join(", ")}`,
    ...inputs.map((value) => `input     ${described(value)}`),
    ...outputs.map((value) => `output    ${described(value)}`),
    `tensors   ${bytesText(bytes)}`,
    `nodes     ${counted.join(", ")}`,
    ...(opaque.length === 0 ? [] : [`as it is  ${opaque.join(", ")}: no gradient`]),
    "",
    ...scopeLines(tree, "", all),
  ];
}

function described({ name, dtype, dims }: InspectedValue): string {
  const sizes = dims?.map((dim) => (dim === "" ? "?" : dim)).join(", ");
  return [name, dtype, sizes === undefined ? undefined : `[${sizes}]`].filter(Boolean).join(" ");
}

function scopeLines({ values, scopes }: InspectedScope, indent: string, all: boolean): string[] {
  const inside = scopes.flatMap((scope) => {
    const many = scope.count > 1 && !all ? ` to ${scope.last} (${scope.count} alike)` : "";
    return [`${indent}${scope.name}/${many}`, ...scopeLines(scope, `${indent}  `, all)];
  });
  const own = values.map((value) => `${indent}${value.op}  ${described(value)}`);
  return [...own, ...inside];
}
