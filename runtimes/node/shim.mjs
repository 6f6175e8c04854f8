// Entry of a Node.js function: see runtimes/README.md for how it is started and docs/protocol.md for what it speaks.
import { createRequire } from "node:module";

// Not a plain import: that would start the analyser of CommonJS exports, which costs more than all of the shim.
createRequire(import.meta.url)("./lib/machine.cjs");
