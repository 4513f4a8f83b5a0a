import { render } from "preact";
import { App } from "./app.tsx";

const root = document.querySelector("#app");
if (root === null) throw new Error("the page has no place for the playground");
render(<App />, root);

if (import.meta.env.PROD && "serviceWorker" in navigator) {
  // Without one the page works all the same, but not offline.
  navigator.serviceWorker.register("./service-worker.js").catch(() => undefined);
}
