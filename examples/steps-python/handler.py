import json
import pathlib
import time


def handler(event, context):
    # A finished step is journaled: when a machine dies, the next attempt takes its result from the journal.
    data = context.step("fetch", lambda: list(range(event.get("size", 10))))
    total = context.step("sum", lambda: sum(data))

    # Long loops keep their place in a folder that later attempts see again.
    place = pathlib.Path(context.checkpoint_dir) / "place.json"
    done = json.loads(place.read_text()) if place.exists() else 0
    for number in range(done, len(data)):
        time.sleep(event.get("pause", 0.1))
        place.write_text(json.dumps(number + 1))
        print(f"{number + 1} of {len(data)} (attempt {context.attempt})")
    return {"total": total, "attempt": context.attempt}
