namespace Dure.Drill;

/// <summary>
/// The functions that the drill runs. Each tells when it starts, works and ends in a file of its sandbox that the drill reads
/// from outside: evidence that needs neither the server, the worker nor the log. Times are CLOCK_MONOTONIC, which all share.
/// </summary>
internal static class Marked
{
    public const string Python = """
        import os, time
        marks = os.open("/dure/io/marks", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

        def mark(what, event, context):
            try:
                os.write(marks, f"{what} {context.aws_request_id} {context.attempt} {time.monotonic_ns()} {event['n']}\n".encode())
            except OSError:
                pass

        def handler(event, context):
            mark("start", event, context)
            end = time.monotonic() + event["ms"] / 1000
            while time.monotonic() < end:
                time.sleep(0.01)
                mark("beat", event, context)
            mark("end", event, context)
            return {"twice": event["n"] * 2}
        """;

    public const string Node = """
        import fs from "node:fs";
        const marks = fs.openSync("/dure/io/marks", "a", 0o644);
        function mark(what, event, context) {
          try {
            fs.writeSync(marks, `${what} ${context.awsRequestId} ${context.attempt} ${process.hrtime.bigint()} ${event.n}\n`);
          } catch {}
        }
        export async function handler(event, context) {
          mark("start", event, context);
          const end = Date.now() + event.ms;
          while (Date.now() < end) {
            await new Promise((done) => setTimeout(done, 10));
            mark("beat", event, context);
          }
          mark("end", event, context);
          return { twice: event.n * 2 };
        }
        """;
}
