"""What every shim's contract test asks of its function."""
import asyncio
import os
import sys
import time


def handler(event, context):
    return globals()["do_" + event["do"]](event, context)


def do_echo(event, context):
    return event["value"]


def do_fail(event, context):
    raise ValueError("it broke: " + event["why"])


def do_nested(event, context):
    try:
        int("x")
    except ValueError as error:
        raise KeyError("outer") from error


def do_log(event, context):
    for line in event["lines"]:
        print(line)
    print("unfinished", end="", file=sys.stderr)


def do_flood(event, context):
    wait_for(event["start"])
    for number in range(event["count"]):
        print(f"{number:07d} {'x' * 92}")


def do_big(event, context):
    return "x" * event["size"]


def do_wait(event, context):
    print("waiting")
    wait_for(event["file"])
    return context.attempt


def do_count(event, context):
    with open(event["file"], "a") as file:
        file.write("once\n")
    return 1


def do_checkpoint(event, context):
    with open(context.checkpoint_dir + "/attempts", "a") as file:
        file.write(f"{context.attempt} ")
    with open(context.checkpoint_dir + "/attempts") as file:
        return file.read()


def do_steps(event, context):
    ran = []

    def once(name, value):
        ran.append(name)
        return value

    results = [context.step("one", lambda: once("one", 1)), context.step("zwei é", lambda: once("zwei é", [2]))]
    return {"results": results, "ran": ran}


def do_stream(event, context):
    for piece in event["pieces"]:
        yield piece
        if event.get("file"):
            wait_for(event["file"])


def do_who(event, context):
    return {"id": context.aws_request_id, "attempt": context.attempt, "mayHaveRun": context.may_have_run, "function": context.function_name,
            "version": context.function_version, "setting": os.environ.get("SETTING"), "remaining": context.get_remaining_time_in_millis()}


def do_unwritable(event, context):
    return {1, 2}


def do_cleanup(event, context):
    print("ready")
    try:
        time.sleep(60)
    finally:
        with open(event["file"], "w") as file:
            file.write("clean")


def do_exit(event, context):
    sys.exit(3)


def do_fork(event, context):
    pid = os.fork()
    print("child" if pid == 0 else "parent")
    if pid:
        os.waitpid(pid, 0)
    return pid > 0


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.005)


async def later(event, context):
    """Two of these at a time, talking in turn, show that lines are attributed rightly."""
    for number in range(event["count"]):
        print(event["name"], number)
        await asyncio.sleep(0.001)
    value = await context.step("once", lambda: event["name"]) if event.get("step") else event["name"]
    if event.get("file"):
        try:
            print("waiting")
            await asyncio.sleep(60)
        finally:
            with open(event["file"], "w") as file:
                file.write("clean")
    return value


async def pieces(event, context):
    for piece in event["pieces"]:
        yield piece
        await asyncio.sleep(0)


async def blocking(event, context):
    print("blocking")
    wait_for(event["file"])


def decorated(event, context):
    """Looks like a sync function and is not."""
    return later(event, context)
