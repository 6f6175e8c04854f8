namespace Dure.Functions.Usage;

/// <summary>
/// What one invocation used over time, all attempts, in a small file of equal records: appended, and written anew when it has become
/// so long that its resolution is halved. A torn last record (a crash) is left out when it is read.
/// </summary>
public sealed class UsageTrack
{
    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly int _most;
    private readonly List<UsagePoint> _points;
    private int _written;
    private int _samples;

    /// <summary>Goes on where the file ends.</summary>
    /// <param name="most">Points at most; then neighbours become one.</param>
    public UsageTrack(string path, int most)
    {
        (_path, _most, _points) = (path, most, Load(path));
        _written = _points.Count;
        _samples = _points.Count == 0 ? 1 : _points.Max(point => point.Samples);
    }

    /// <summary>Adds a measurement.</summary>
    public void Add(UsagePoint sample)
    {
        lock (_gate)
        {
            // Rounds that overtook each other on a machine without time to spare.
            if (_points.Count > 0 && sample.Time <= _points[^1].Time)
                return;
            // The last point takes measurements until it has as many as the resolution says.
            if (_points.Count > 0 && _points[^1] is var last && last.Attempt == sample.Attempt && last.Samples < _samples)
            {
                _points[^1] = last.With(sample);
                _written = Math.Min(_written, _points.Count - 1);
                return;
            }
            _points.Add(sample);
            if (_points.Count > _most)
                Halve();
        }
    }

    /// <summary>Everything so far, oldest first.</summary>
    public UsagePoint[] Points()
    {
        lock (_gate)
            return [.. _points];
    }

    /// <summary>Brings the file up to date.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            if (_written == _points.Count && _points.Count > 0)
                return;
            var bytes = new byte[(_points.Count - _written) * UsagePoint.Size];
            for (var i = _written; i < _points.Count; i++)
                _points[i].Write(bytes.AsSpan((i - _written) * UsagePoint.Size));
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            using var file = File.OpenHandle(_path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            RandomAccess.Write(file, bytes, (long)_written * UsagePoint.Size);
            RandomAccess.SetLength(file, (long)_points.Count * UsagePoint.Size);
            _written = _points.Count;
        }
    }

    /// <summary>The points of a file; none when there is no file.</summary>
    public static List<UsagePoint> Load(string path)
    {
        List<UsagePoint> points = [];
        if (!File.Exists(path))
            return points;
        try
        {
            var bytes = File.ReadAllBytes(path);
            for (var at = 0; at + UsagePoint.Size <= bytes.Length; at += UsagePoint.Size)
                points.Add(UsagePoint.Read(bytes.AsSpan(at)));
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            // Retention was faster.
        }
        return points;
    }

    private void Halve()
    {
        var kept = 0;
        for (var i = 0; i < _points.Count; i++)
        {
            var point = _points[i];
            if (i + 1 < _points.Count && _points[i + 1].Attempt == point.Attempt)
                point = point.With(_points[++i]);
            _points[kept++] = point;
        }
        _points.RemoveRange(kept, _points.Count - kept);
        _written = 0;
        _samples = Math.Min(_samples * 2, 1 << 20);
    }
}
