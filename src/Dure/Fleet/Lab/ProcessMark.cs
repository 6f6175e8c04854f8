using System.Globalization;
using System.Text;
using Dure.Host.Commands;

namespace Dure.Fleet.Lab;

/// <summary>A process that can be told from a later one with the same id.</summary>
/// <param name="Started">Clock ticks after the kernel's start, field 22 of <c>/proc/PID/stat</c>.</param>
internal sealed record ProcessMark(int Pid, long Started)
{
    /// <summary>It runs. A zombie does not.</summary>
    public bool IsAlive => Read(Pid) is { } stat && stat.Started == Started && stat.State is not ("Z" or "X");

    /// <summary>It was stopped and waits to be continued.</summary>
    public bool IsStopped => Read(Pid) is { State: "T" } stat && stat.Started == Started;

    /// <summary>The mark of a process; null when there is none.</summary>
    public static ProcessMark? Of(int pid) => Read(pid) is { } stat ? new(pid, stat.Started) : null;

    /// <summary>Processes that it started and that still run.</summary>
    public IReadOnlyList<int> Children() => IsAlive ? Ids(Text($"/proc/{Pid}/task/{Pid}/children")) : [];

    /// <summary>The ids in a text of them.</summary>
    public static IReadOnlyList<int> Ids(string text) =>
        [.. text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(word => int.Parse(word, CultureInfo.InvariantCulture))];

    /// <summary>A small file of the kernel's; empty when it is gone.</summary>
    public static string Text(string path) => Posix.TryRead(path) is { } text ? Encoding.UTF8.GetString(text) : "";

    private static (string State, long Started)? Read(int pid)
    {
        // The name stands in parentheses and may hold spaces and parentheses itself.
        var stat = Text($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 19 ? (fields[0], long.Parse(fields[19], CultureInfo.InvariantCulture)) : null;
    }
}
