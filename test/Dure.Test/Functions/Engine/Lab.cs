namespace Dure.Test.Functions.Engine;

/// <summary>The functions that engine tests deploy: the event says what to do.</summary>
internal static class Lab
{
    public const string Python = """
        import json, os, signal, sys, time

        def perish():
            time.sleep(0.1)
            os.kill(os.getpid(), signal.SIGKILL)

        def handler(event, context):
            print(f"begin {context.attempt} may_have_run={context.may_have_run} pid={os.getpid()}", flush=True)
            if not isinstance(event, dict):
                return event
            began = time.time()
            do = event.get("do", "echo")
            if do == "sleep":
                time.sleep(event["seconds"])
                return {"attempt": context.attempt, "began": began}
            if do == "first-hangs":
                if context.attempt <= event.get("attempts", 1):
                    print("hanging", flush=True)
                    time.sleep(60)
                return {"attempt": context.attempt, "began": began, "may_have_run": context.may_have_run}
            if do == "raise":
                raise ValueError("no: " + str(event.get("why")))
            if do == "fail-until":
                if context.attempt < event["attempt"]:
                    raise RuntimeError(f"attempt {context.attempt} fails")
                return context.attempt
            if do == "big":
                return "x" * event["bytes"]
            if do == "length":
                return len(event["data"])
            if do == "stream":
                def pieces():
                    for i in range(event["count"]):
                        yield f"piece {i}\n"
                        time.sleep(event["pause"])
                return pieces()
            if do == "stream-big":
                return (("x" * 65536) for _ in range(event["pieces"]))
            if do == "log":
                line = "x" * event.get("width", 40)
                for i in range(event["lines"]):
                    print(i, line)
                return event["lines"]
            if do == "niceness":
                return os.nice(0)
            if do == "flood":
                return os.system(f"seq {event['lines']}")
            if do == "slow-log":
                for i in range(event["lines"]):
                    print("line", i, flush=True)
                    time.sleep(event["pause"])
                return event["lines"]
            if do == "ignore-term":
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                print("deaf", flush=True)
                end = time.time() + 60
                while time.time() < end:
                    try:
                        time.sleep(1)
                    except BaseException:
                        pass
            if do == "memory":
                held = []
                while True:
                    held.append(bytearray(os.urandom(1 << 20)))
            if do == "fork-bomb":
                while True:
                    if os.fork() == 0:
                        time.sleep(30)
                        os._exit(0)
            if do == "die":
                perish()
            if do == "die-until":
                if context.attempt < event["attempt"]:
                    perish()
                return {"attempt": context.attempt, "may_have_run": context.may_have_run}
            if do == "steps":
                def first():
                    print("step one runs", flush=True)
                    return {"n": 41}
                value = context.step("one", first)
                if context.attempt == 1:
                    perish()
                return value["n"] + 1
            if do == "big-steps":
                def heavy():
                    print("a heavy step runs", flush=True)
                    return "y" * 600_000
                total = sum(len(context.step(f"heavy {n}", heavy)) for n in range(3))
                if context.attempt == 1:
                    perish()
                return total
            if do == "checkpoint-hangs":
                path = os.path.join(context.checkpoint_dir, "state")
                if os.path.exists(path):
                    return open(path).read()
                with open(path, "w") as file:
                    file.write("kept")
                print("hanging", flush=True)
                time.sleep(60)
            if do == "checkpoint":
                path = os.path.join(context.checkpoint_dir, "state")
                done = int(open(path).read()) if os.path.exists(path) else 0
                if done < 2:
                    with open(path, "w") as file:
                        file.write(str(done + 1))
                    perish()
                return done
            return event
        """;

    public const string Node = """
        export async function handler(event, context) {
          console.log(`begin ${context.attempt}`);
          if (event?.do === "sleep") await new Promise((done) => setTimeout(done, event.seconds * 1000));
          if (event?.do === "raise") throw new TypeError("no");
          return event;
        }
        """;
}
