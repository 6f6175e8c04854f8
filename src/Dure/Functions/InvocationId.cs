namespace Dure.Functions;

/// <summary>
/// Names an invocation: 42 bits of Unix milliseconds, 5 bits of the controller that made it, 16 bits of counter. Ascending, so
/// a listing by id is a listing by time. Written as 13 characters of Crockford's base 32 (no i, l, o, u), lower case.
/// </summary>
public static class InvocationId
{
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int Length = 13;
    private const int LowBits = 21;

    /// <summary>The text form.</summary>
    public static string Format(long id) => string.Create(Length, id, static (text, value) =>
    {
        for (var i = text.Length - 1; i >= 0; i--, value >>>= 5)
            text[i] = Alphabet[(int)(value & 31)];
    });

    /// <summary>Reads the text form; upper case is accepted.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out long id)
    {
        id = 0;
        if (text.Length != Length)
            return false;
        foreach (var c in text)
        {
            var digit = Alphabet.IndexOf(char.ToLowerInvariant(c), StringComparison.Ordinal);
            if (digit < 0)
                return false;
            id = (id << 5) | (uint)digit;
        }
        return id >= 0;
    }

    /// <summary>Reads how the text form of an id begins, four characters at least.</summary>
    /// <param name="first">The smallest id that begins so.</param>
    /// <param name="last">The largest.</param>
    public static bool TryParsePrefix(ReadOnlySpan<char> text, out long first, out long last)
    {
        const int Least = 4;
        first = last = 0;
        if (text.Length is < Least or > Length)
            return false;
        Span<char> low = stackalloc char[Length];
        Span<char> high = stackalloc char[Length];
        low.Fill(Alphabet[0]);
        high.Fill(Alphabet[^1]);
        text.CopyTo(low);
        text.CopyTo(high);
        return TryParse(low, out first) && TryParse(high, out last);
    }

    /// <summary>The smallest id that could have been made at this time, for time ranges.</summary>
    public static long FirstAt(DateTimeOffset time) => Math.Max(0, time.ToUnixTimeMilliseconds()) << LowBits;

    /// <summary>When the id was made, by its controller's clock.</summary>
    public static DateTimeOffset TimeOf(long id) => DateTimeOffset.FromUnixTimeMilliseconds(id >> LowBits);
}

/// <summary>Makes ids that only ever ascend, also when the clock jumps back.</summary>
/// <param name="controller">0 to 31: no two controllers that run at once share it.</param>
/// <param name="last">The highest id already in the database: the next one is above it.</param>
public sealed class InvocationIdSource(TimeProvider time, int controller, long last)
{
    private long _last = last;

    /// <summary>The next id.</summary>
    public long Next()
    {
        while (true)
        {
            var before = Volatile.Read(ref _last);
            var now = (InvocationId.FirstAt(time.GetUtcNow())) | ((long)controller << 16);
            // 65,536 ids a millisecond; past that, or when the clock went back, count on from the last.
            var next = now > before ? now : before + 1;
            if (Interlocked.CompareExchange(ref _last, next, before) == before)
                return next;
        }
    }
}
