"""What the contract test asks of a plain program: event on stdin, result on stdout."""
import json
import os
import sys
import time

event = json.load(sys.stdin)
environment = os.environ


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.005)


def say(value):
    sys.stdout.write(json.dumps(value, ensure_ascii=False))


def do_echo():
    say(event["value"])


def do_fail():
    print("it broke: " + event["why"], file=sys.stderr)
    sys.exit(3)


def do_log():
    for line in event["lines"]:
        print(line, file=sys.stderr)
    print("unfinished", end="", file=sys.stderr)
    say(None)


def do_flood():
    wait_for(event["start"])
    for number in range(event["count"]):
        print(f"{number:07d} {'x' * 92}", file=sys.stderr)
    say(None)


def do_big():
    say("x" * event["size"])


def do_wait():
    print("waiting", file=sys.stderr)
    wait_for(event["file"])
    say(int(environment["DURE_ATTEMPT"]))


def do_count():
    with open(event["file"], "a") as file:
        file.write("once\n")
    say(1)


def do_checkpoint():
    path = environment["DURE_CHECKPOINT_DIR"] + "/attempts"
    with open(path, "a") as file:
        file.write(environment["DURE_ATTEMPT"] + " ")
    with open(path) as file:
        say(file.read())


def do_who():
    say({"id": environment["DURE_INVOCATION_ID"], "attempt": int(environment["DURE_ATTEMPT"]),
         "mayHaveRun": environment["DURE_MAY_HAVE_RUN"] == "1", "function": environment["DURE_FUNCTION"],
         "version": environment["DURE_VERSION"], "setting": environment.get("SETTING"), "remaining": 0})


def do_signal():
    os.kill(os.getpid(), 11)


def do_daemon():
    if os.fork() == 0:
        os.setsid()
        with open(event["file"], "w") as file:
            file.write(str(os.getpid()))
        time.sleep(60)
    wait_for(event["file"])
    say("left one behind")


globals()["do_" + event["do"]]()
