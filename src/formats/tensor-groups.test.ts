import { expect, test } from "vitest";
import { groupTensors } from "./tensor-groups.ts";

const tensor = (name: string, shape: number[] = [2], type = "F32") => ({ name, shape, type, bytes: 8 }); // prettier-ignore

test("puts layers together, where first they stood", () => {
  const names = ["wte", "h.0.a", "h.0.b", "h.1.a", "h.1.b", "h.3.a"];
  expect(groupTensors(names.map((name) => tensor(name)))).toEqual([
    { name: "wte", shape: [2], type: "F32", count: 1, bytes: 8 },
    { name: "h.[0-1,3].a", shape: [2], type: "F32", count: 3, bytes: 24 },
    { name: "h.[0-1].b", shape: [2], type: "F32", count: 2, bytes: 16 },
  ]);
});

test("keeps apart what differs in shape, type, or more than a number", () => {
  const tensors = [tensor("h.0.a"), tensor("h.1.a", [3]), tensor("h.2.a", [2], "F16")];
  expect(groupTensors([...tensors, tensor("h2.a"), tensor("h3.a")])).toHaveLength(5);
});

test("shows every number that differs, and leaves those that do not", () => {
  const names = [0, 1].flatMap((i) => [0, 1].map((j) => tensor(`h.${i}.e.${j}.w.7`)));
  expect(groupTensors(names).map(({ name }) => name)).toEqual(["h.[0-1].e.[0-1].w.7"]);
});
