namespace Dure.Test.Portal.Pictures;

/// <summary>What the functions of <see cref="LivelyLab"/> are made of.</summary>
internal static class LabSources
{
    public const string Fit = """
        import math, random, time

        def gauss(x, centre, width):
            return math.exp(-((x - centre) / width) ** 2 / 2)

        def handler(event, context):
            random.seed(event["spectrum"])
            print(f"\x1b[36mspectrum\x1b[0m {event['spectrum']}: 4096 channels")
            time.sleep(event.get("wait", random.random() / 5))
            if event.get("bad"):
                raise ValueError(f"fit of {event['spectrum']} did not converge after 200 steps (chi2/ndf = 41.7)")
            peak = 661.66 + random.random() / 10
            print(f"\x1b[32mpeak\x1b[0m at {peak:.2f} keV, chi2/ndf = {0.9 + random.random() / 4:.2f}")
            return {"peak_kev": round(peak, 3), "counts": random.randint(20_000, 90_000)}
        """;

    public const string Reduce = """
        import math, random, time
        from calibration import flat

        def handler(event, context):
            total = event["frames"]
            print(f"\x1b[1mreducing {total} frames of {event['night']}\x1b[0m")
            kept, memory = 0, []
            for n in range(total):
                memory.append(bytearray(120_000 + int(90_000 * math.sin(n / 30))))
                memory = memory[-400:]
                seeing = 0.8 + random.random() * 0.9
                until = time.monotonic() + 0.06
                while time.monotonic() < until:
                    flat(n)
                time.sleep(0.12)
                if seeing > 1.6:
                    print(f"\x1b[33mframe {n:4d}\x1b[0m seeing {seeing:.2f}\" \x1b[33mtoo blurred, left out\x1b[0m")
                    continue
                kept += 1
                if n % 5 == 0:
                    print(f"\x1b[32mframe {n:4d}\x1b[0m seeing {seeing:.2f}\"  sky {20.1 + random.random():.2f} mag  kept {kept}")
            return {"kept": kept, "of": total}
        """;

    public const string Calibration = """
        def flat(n):
            return sum(i * i for i in range(2000)) / (n + 1)
        """;

    public const string Report = """
        import time

        def handler(event, context):
            print("reading the run log of last night")
            time.sleep(0.3)
            print("\x1b[36m6 detectors, 4 h 12 m of data\x1b[0m")
            if not event.get("beam", True):
                print("\x1b[31mbeam current 0.0 nA from 02:10 to 02:40\x1b[0m")
                raise RuntimeError("no beam between 02:10 and 02:40: the report would be wrong")
            return {"detectors": 6, "good_hours": 4.2}
        """;

    public const string Thumbnail = """
        export async function handler(event) {
          console.log(`scaling ${event.image} to 320 px`);
          await new Promise((done) => setTimeout(done, 20 + Math.random() * 60));
          return { thumbnail: event.image.replace('.png', '.webp') };
        }
        """;

    public const string Parse = """
        import sys

        def handler(event, context):
            print("parsing line", event["line"])
            if event.get("bad"):
                sys.exit("line %d: unknown record type 0x7f" % event["line"])
            return {"records": event["line"] * 3}
        """;

    public const string Relay = """
        export async function handler() {
          console.log('nothing new upstream');
          return { relayed: 0 };
        }
        """;
}
