namespace Dure.Storage.Store;

/// <summary>
/// Numbers that grow: microseconds since 1970, or one more than the last. One counter serves versions, contents and uploads, so that a
/// group of contents may be named after any of them. A number is never given twice as long as the clock of the machine does not go
/// back behind what a start has read.
/// </summary>
internal sealed class Ids(TimeProvider time, long first)
{
    private long _last = first;

    public long Next()
    {
        while (true)
        {
            var last = Volatile.Read(ref _last);
            var next = Math.Max(last + 1, (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
            if (Interlocked.CompareExchange(ref _last, next, last) == last)
                return next;
        }
    }

    /// <summary>Gives only greater numbers from now on.</summary>
    public void Pass(long id)
    {
        long last;
        while ((last = Volatile.Read(ref _last)) < id && Interlocked.CompareExchange(ref _last, id, last) != last)
        {
        }
    }

    /// <summary>A name of 32 hex digits that nobody guesses and that says the number.</summary>
    public static string Name(long id) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{id:x16}{Random.Shared.NextInt64():x16}");

    /// <summary>The number of a name; 0 for something that is no such name.</summary>
    public static long Of(string name) =>
        name.Length == 32 && long.TryParse(name.AsSpan(0, 16), System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out var id) ? id : 0;
}
