import * as tsvene from "tsvene";

console.log(`tsvene exports ${Object.keys(tsvene).length} names`);
