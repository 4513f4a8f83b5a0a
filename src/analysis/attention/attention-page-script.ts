/**
 * What a page of attention runs: plain JavaScript, as text. It is not the text of a function here, because
 * what compiles this library could change that.
 */
export const PAGE_SCRIPT = `
"use strict";
const { layers, heads, tokens, colors, values } = JSON.parse(document.getElementById("data").textContent);
const bytes = Uint8Array.from(atob(values), (c) => c.charCodeAt(0));
const n = tokens.length;
const at = (layer, head, query, key) => bytes[((layer * heads.length + head) * n + query) * n + key];
const color = (byte) => colors[Math.round((byte / 255) * (colors.length - 1))];
const isDark = (byte) => byte > 110;
const isCausal = !layers.some((_, l) => heads.some((_, h) => tokens.some((_, q) => tokens.some((_, k) => k > q && at(l, h, q, k) > 0))));
let [layer, head, token] = [0, 0, undefined];
const large = document.getElementById("large");
const spans = tokens.map((text, i) => {
  const span = document.createElement("span");
  span.textContent = text;
  span.tabIndex = 0;
  span.onpointerenter = span.onfocus = () => show(i);
  document.getElementById("text").append(span);
  return span;
});
document.getElementById("text").onpointerleave = () => show(undefined);
const way = () => document.querySelector("[name=way]:checked").value;
for (const input of document.querySelectorAll("[name=way]")) input.onchange = () => show(token);
function draw(canvas, l, h, size) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = canvas.height = Math.round(n * size * ratio);
  canvas.style.width = canvas.style.height = n * size + "px";
  const pen = canvas.getContext("2d");
  const cell = canvas.width / n;
  for (let q = 0; q < n; q++) {
    for (let k = 0; k < n; k++) {
      if (isCausal && k > q) continue;
      pen.fillStyle = color(at(l, h, q, k));
      pen.fillRect(Math.floor(k * cell), Math.floor(q * cell), Math.ceil(cell), Math.ceil(cell));
    }
  }
}
const grid = document.getElementById("heads");
grid.style.gridTemplateColumns = "auto repeat(" + heads.length + ", max-content)";
const named = (text) => {
  const div = document.createElement("div");
  div.className = "name";
  div.textContent = text;
  grid.append(div);
};
named("");
heads.forEach((name) => named("head " + name));
const buttons = layers.map((name, l) => {
  named("layer " + name);
  return heads.map((own, h) => {
    const button = document.createElement("button");
    button.title = "layer " + name + ", head " + own;
    button.setAttribute("aria-label", button.title);
    const canvas = document.createElement("canvas");
    draw(canvas, l, h, Math.max(1, Math.min(12, 64 / n)));
    button.append(canvas);
    button.onclick = () => choose(l, h);
    grid.append(button);
    return button;
  });
});
function choose(l, h) {
  [layer, head] = [l, h];
  buttons.forEach((row, i) => row.forEach((button, j) => button.setAttribute("aria-pressed", i === l && j === h)));
  document.querySelector("figcaption").textContent = "Layer " + layers[l] + ", head " + heads[h];
  draw(large, l, h, Math.max(4, Math.min(28, 420 / n)));
  show(token);
}
function show(i) {
  token = i;
  spans.forEach((span, j) => {
    const byte = i === undefined ? 0 : way() === "from" ? at(layer, head, i, j) : at(layer, head, j, i);
    span.style.background = byte > 0 ? color(byte) : "";
    span.style.color = isDark(byte) ? "#fff" : "";
    span.title = i === undefined ? "" : (byte / 255).toFixed(2);
    span.className = i === j ? "here" : "";
  });
}
const output = document.querySelector("output");
large.onpointermove = ({ offsetX, offsetY }) => {
  const size = large.clientWidth / n;
  const [q, k] = [Math.floor(offsetY / size), Math.floor(offsetX / size)];
  if (q < 0 || k < 0 || q >= n || k >= n) return;
  output.textContent = JSON.stringify(tokens[q]) + " to " + JSON.stringify(tokens[k]) + ": " + (at(layer, head, q, k) / 255).toFixed(2);
  show(way() === "from" ? q : k);
};
choose(0, 0);
`;
