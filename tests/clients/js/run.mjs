// node run.mjs messages/edits: runs one flow from flows/messages.mjs against the node that KAIRAN_WORLD describes.

import { run } from "./harness.mjs";

const [file, name] = process.argv[2].split("/");
const flows = await import(`./flows/${file}.mjs`);
await run(flows[name]);
