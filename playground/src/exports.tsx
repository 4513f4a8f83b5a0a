import type { Heat } from "./heat-table.tsx";
import { heatCsv, heatSvg } from "./heat-files.ts";

interface ExportsProps {
  readonly heat: Heat;
  readonly name: string;
  readonly isReady: boolean;
}

/** Takes numbers and pictures out of the page. */
export function Exports({ heat, name, isReady }: ExportsProps) {
  const saves: readonly (readonly [string, () => Promise<Blob> | Blob])[] = [
    ["csv", () => new Blob([heatCsv(heat)], { type: "text/csv" })],
    ["json", () => new Blob([JSON.stringify(heat)], { type: "application/json" })],
    ["svg", () => new Blob([heatSvg(heat)], { type: "image/svg+xml" })],
    ["png", async () => heatPng(heat)],
  ];
  return (
    <p class="exports">
      Save as
      {saves.map(([ending, make]) => (
        <button
          key={ending}
          type="button"
          disabled={!isReady}
          onClick={() => void save(make, `${name}.${ending}`)}
        >
          {ending.toUpperCase()}
        </button>
      ))}
    </p>
  );
}

async function save(make: () => Promise<Blob> | Blob, name: string): Promise<void> {
  const blob = await make();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const SCALE = 2;

async function heatPng(heat: Heat): Promise<Blob> {
  const picture = new Image();
  picture.src = `data:image/svg+xml,${encodeURIComponent(heatSvg(heat))}`;
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = SCALE * picture.width;
  canvas.height = SCALE * picture.height;
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture was made"))));
  });
}
