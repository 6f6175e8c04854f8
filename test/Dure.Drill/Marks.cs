using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Dure.Drill;

/// <summary>What one attempt of one invocation was seen to do. Times are CLOCK_MONOTONIC in seconds.</summary>
internal sealed class Seen
{
    /// <summary>The invocation's id.</summary>
    public required string Id { get; init; }

    public int Starts { get; set; }

    public double Began { get; set; } = double.NaN;

    public double Last { get; set; }

    public bool Ended { get; set; }
}

/// <summary>Reads the marks of every sandbox while it lives. A file once opened is read to its end although it is removed.</summary>
internal sealed class Marks(string slots) : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(15);

    private readonly Dictionary<string, (FileStream File, StringBuilder Half)> _files = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>By the call's own number and attempt.</summary>
    public Dictionary<(long Call, int Attempt), Seen> Attempts { get; } = [];

    /// <summary>Now, by the clock of the marks.</summary>
    public static double Now => Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;

    /// <summary>Follows until cancelled.</summary>
    public async Task FollowAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            ReadAll();
            await Task.Delay(Look, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        ReadAll();
    }

    /// <summary>Calls that have begun an attempt and not ended it, with the attempt.</summary>
    public List<(long Call, int Attempt)> Running(double since)
    {
        lock (_gate)
            return [.. Attempts.Where(a => !a.Value.Ended && a.Value.Last > since).Select(a => a.Key)];
    }

    /// <summary>What was seen of an attempt.</summary>
    public Seen? Find(long call, int attempt)
    {
        lock (_gate)
            return Attempts.GetValueOrDefault((call, attempt));
    }

    /// <summary>When the first attempt after the given one began; null when none has.</summary>
    public double? FirstStart(long call, int after)
    {
        lock (_gate)
            return Attempts.Where(a => a.Key.Call == call && a.Key.Attempt > after && a.Value.Starts > 0).Select(a => (double?)a.Value.Began).Min();
    }

    /// <summary>Every attempt of every call.</summary>
    public List<IGrouping<long, (int Attempt, Seen Seen)>> ByCall()
    {
        lock (_gate)
            return [.. Attempts.Select(a => (a.Key.Call, Item: (a.Key.Attempt, a.Value))).GroupBy(a => a.Call, a => a.Item)];
    }

    public void Dispose()
    {
        foreach (var (file, _) in _files.Values)
            file.Dispose();
    }

    private void ReadAll()
    {
        if (Directory.Exists(slots))
        {
            foreach (var slot in Directory.EnumerateDirectories(slots))
            {
                var path = Path.Combine(slot, "io", "marks");
                if (!_files.ContainsKey(path) && File.Exists(path))
                    Open(path);
            }
        }
        lock (_gate)
        {
            foreach (var (file, half) in _files.Values)
                Read(file, half);
        }
    }

    private void Open(string path)
    {
        try
        {
            _files[path] = (new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0), new StringBuilder());
        }
        catch (IOException)
        {
            // It went while we looked.
        }
    }

    private void Read(FileStream file, StringBuilder half)
    {
        var buffer = new byte[8192];
        int count;
        while ((count = file.Read(buffer)) > 0)
        {
            foreach (var letter in buffer.AsSpan(0, count))
            {
                if (letter != '\n')
                    half.Append((char)letter);
                else
                    Take(half);
            }
        }
    }

    private void Take(StringBuilder line)
    {
        var words = line.ToString().Split(' ');
        line.Clear();
        if (words.Length != 5)
            return;
        var key = (long.Parse(words[4], CultureInfo.InvariantCulture), int.Parse(words[2], CultureInfo.InvariantCulture));
        var at = long.Parse(words[3], CultureInfo.InvariantCulture) / 1e9;
        if (!Attempts.TryGetValue(key, out var seen))
            Attempts[key] = seen = new Seen { Id = words[1] };
        seen.Last = Math.Max(seen.Last, at);
        if (words[0] == "start")
        {
            seen.Starts++;
            seen.Began = double.IsNaN(seen.Began) ? at : Math.Min(seen.Began, at);
        }
        seen.Ended |= words[0] == "end";
    }
}
