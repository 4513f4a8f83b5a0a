import { jobs } from "./benchmarks/jobs.ts";
const job = jobs.find((j) => j.name === (process.argv[2] ?? "tiny_interchange"))!;
const p: any = await job.prepare(); const run = typeof p === "function" ? p : p.run;
for (let i = 0; i < 600; i++) await run();
const t: number[] = []; 
for (let i = 0; i < 4000; i++) { const s = performance.now(); await run(); t.push(performance.now() - s); }
t.sort((a, b) => a - b); console.log(job.name, "median", t[2000]!.toFixed(3), "p10", t[400]!.toFixed(3));
