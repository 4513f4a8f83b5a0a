// A page as a user writes it: what `page.js` does, and a picture.
import { heatMap, toSvg } from "tsvene";
import "./page.js";

const plot = heatMap([[0, 1]], { rows: ["a"], columns: ["b", "c"], title: "A map" });
globalThis.picture = toSvg(plot);
globalThis.picture.catch(() => undefined);
