using System.Globalization;

namespace Dure.Drill;

/// <summary>How busy this machine is.</summary>
internal static class Machine
{
    /// <summary>Clock ticks since boot of all processors together, from <c>/proc/stat</c> (proc(5)): in work or taken by the host, and in all.</summary>
    public static (long Busy, long All) Ticks()
    {
        const int Idle = 3, Wait = 4, Steal = 7;
        var ticks = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(Steal + 1)
            .Select(text => long.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        return (ticks.Sum() - ticks[Idle] - ticks[Wait], ticks.Sum());
    }
}
