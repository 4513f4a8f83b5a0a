import type { FileNode } from "../../formats/onnx/onnx-content.ts";
import { unknownAttributes } from "../attributes.ts";
import type { Operator, Operators } from "../operator.ts";
import { control } from "./control.ts";
import { elementwise } from "./elementwise.ts";
import { adopted, microsoft } from "./microsoft.ts";
import { products } from "./products.ts";
import { quantized } from "./quantized.ts";
import { recurrent } from "./recurrent.ts";
import { reductions } from "./reductions.ts";
import { shaping } from "./shaping.ts";
import { windows } from "./windows.ts";

/** All operators that are translated, by domain. */
export const OPERATORS: Readonly<Record<string, Operators>> = {
  "": {
    ...elementwise,
    ...reductions,
    ...shaping,
    ...windows,
    ...products,
    ...recurrent,
    ...control,
    ...quantized,
    ...adopted,
  },
  "com.microsoft": microsoft,
};

/** The operator of a node; undefined for one that only ONNX Runtime may know. */
export function operatorOf(node: FileNode): Operator | undefined {
  const found = OPERATORS[node.domain]?.[node.op];
  if (found === undefined || unknownAttributes(node, found.kinds).length > 0) return undefined;
  return found;
}
