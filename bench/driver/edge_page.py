"""The part of the page about published apps."""

from spread import repeat_spread, shown

LINES = (("by hand", "nginx, a minimal configuration by hand"), ("generated", "nginx, as Dure generates it"), ("door", "the door of one machine (YARP)"), ("app", "the app itself, nothing in front"))


def section(results):
    lines = ["## Published apps", "", "A page of 1,000 bytes over HTTP keep-alive, wrk with 32 connections on the same machine; the app is an nginx of one process that answers from memory.", "",
             "| | requests/s | p50 | p99 |", "|---|---|---|---|"]
    for name, text in LINES:
        rounds = results["requests"][name]
        lines.append(f"| {text} | {shown(_of(rounds, 'per_second'))} | {shown(_of(rounds, 'p50_us'), ' us')} | {shown(_of(rounds, 'p99_us'), ' us')} |")
    publish = results["publish"]
    step = lambda name, before: [1000 * (one[name] - (one[before] if before else 0)) for one in publish]
    return [*lines, "",
            f"Publishing a next version through an edge machine, the whole command: {shown([one['whole'] for one in publish], ' s')}. Of which the command's start, packing and sending "
            f"{shown(step('sent', None), ' ms')}, until the app answers {shown(step('healthy', 'sent'), ' ms')}, until the public address shows it {shown(step('whole', 'healthy'), ' ms')}.", "",
            f"The first visitor of an app that sleeps waits {shown([1000 * seconds for seconds in results['wake']], ' ms')}, through the edge."]


def compare(results, more, fewer):
    """Ratios with their bounds and goals."""
    requests = results["requests"]
    more("requests/s: generated nginx configuration / by hand", _of(requests["generated"], "per_second"), _of(requests["by hand"], "per_second"), 0.95, 1)
    fewer("p99: generated nginx configuration / by hand", _of(requests["generated"], "p99_us"), _of(requests["by hand"], "p99_us"), 1.05, 1)


def spreads(results):
    return [repeat_spread(_of(rounds, "per_second")) for rounds in results["requests"].values()]


def others(results):
    return [one["others"] for rounds in results["requests"].values() for one in rounds]


def _of(rows, key):
    return [row[key] for row in rows]
