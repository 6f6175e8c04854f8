using System.Globalization;

namespace Dure.Functions.Dispatch;

/// <summary>
/// Names a sandbox so that a later server knows what it is: <c>v&lt;version&gt;-&lt;epoch&gt;-&lt;n&gt;</c>, with
/// <c>-g0_1</c> behind when GPUs 0 and 1 belong to it. Builds begin with <c>b</c>.
/// </summary>
internal readonly record struct SlotName(long Version, long Epoch, long Number, IReadOnlyList<int> Gpus)
{
    /// <summary>Reads a name.</summary>
    /// <returns>False for names of another form.</returns>
    public static bool TryParse(string text, out SlotName name)
    {
        name = default;
        var parts = text.Split('-');
        if (parts.Length is < 3 or > 4 || parts[0].Length < 2 || parts[0][0] != 'v'
            || !long.TryParse(parts[0].AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
            || !long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return false;
        List<int> gpus = [];
        foreach (var gpu in parts.Length == 4 ? parts[3].TrimStart('g').Split('_') : [])
        {
            if (!int.TryParse(gpu, NumberStyles.None, CultureInfo.InvariantCulture, out var index))
                return false;
            gpus.Add(index);
        }
        name = new(version, epoch, number, gpus);
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"v{Version}-{Epoch}-{Number}{(Gpus.Count == 0 ? "" : "-g" + string.Join('_', Gpus))}");
}
