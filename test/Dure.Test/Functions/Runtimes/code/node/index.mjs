// What every shim's contract test asks of its function.
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export const handler = async (event, context) => doing[event.do](event, context);

const until = async (path) => { while (!fs.existsSync(path)) await sleep(5); };

const doing = {
  echo: (event) => event.value,
  fail: (event) => { throw new RangeError(`it broke: ${event.why}`); },
  nested: () => { throw new Error("outer", { cause: new SyntaxError("inner") }); },
  log: (event) => {
    for (const line of event.lines) console.log(line);
    process.stderr.write("unfinished");
  },
  flood: async (event) => {
    await until(event.start);
    for (let number = 0; number < event.count; number++) console.log(`${String(number).padStart(7, "0")} ${"x".repeat(92)}`);
  },
  big: (event) => "x".repeat(event.size),
  wait: async (event, context) => {
    console.log("waiting");
    await until(event.file);
    return context.attempt;
  },
  count: (event) => {
    fs.appendFileSync(event.file, "once\n");
    return 1;
  },
  checkpoint: (event, context) => {
    fs.appendFileSync(`${context.checkpointDir}/attempts`, `${context.attempt} `);
    return fs.readFileSync(`${context.checkpointDir}/attempts`, "utf8");
  },
  steps: async (event, context) => {
    const ran = [];
    const once = (name, value) => () => { ran.push(name); return value; };
    const results = [await context.step("one", once("one", 1)), await context.step("zwei é", once("zwei é", [2]))];
    return { results, ran };
  },
  stream: async function* (event) {
    for (const piece of event.pieces) {
      yield piece;
      if (event.file) await until(event.file);
    }
  },
  who: (event, context) => ({
    id: context.awsRequestId, attempt: context.attempt, mayHaveRun: context.mayHaveRun, function: context.functionName,
    version: context.functionVersion, setting: process.env.SETTING, remaining: context.getRemainingTimeInMillis(),
  }),
  unwritable: () => 10n,
  cleanup: async (event, context) => {
    console.log("ready");
    try {
      await sleep(60_000, null, { signal: context.signal });
    } finally {
      fs.writeFileSync(event.file, "clean");
    }
  },
  stuck: async () => { console.log("ready"); await sleep(60_000); },
  leave: () => { console.log("bye"); process.exit(4); },
  uncaught: () => new Promise(() => setImmediate(() => { throw new Error("nobody catches this"); })),
};

/** Two of these at a time, talking in turn, show that lines are attributed rightly. */
export const later = async (event, context) => {
  for (let number = 0; number < event.count; number++) {
    console.log("%s %d", event.name, number);
    await sleep(1);
  }
  return event.step ? context.step("once", () => event.name) : event.name;
};

export const callback = (event, context, done) => setImmediate(() => event.why ? done(new Error(event.why)) : done(null, event.value));

export const web = () => new ReadableStream({
  start(controller) {
    controller.enqueue(new TextEncoder().encode("a"));
    controller.enqueue(new TextEncoder().encode("b"));
    controller.close();
  },
});

export const lambda = awslambda.streamifyResponse(async (event, stream) => {
  stream.write("one ");
  await sleep(1);
  stream.write("two");
});
