using System.Globalization;
using System.Net;

namespace Dure.Host.Configuration;

/// <summary>The kinds of value that a setting may have. Each reads, checks the range and writes back.</summary>
internal static class SettingKinds
{
    public static Setting<long> Bytes(string key, string @default, string min, string max, string doc)
    {
        var (low, high) = (Units.ReadBytes(min).Value, Units.ReadBytes(max).Value);
        return new(key, null, "bytes", $"{min} to {max}", @default, doc, false)
        {
            Reader = text => Units.ReadBytes(text) is { Error: null } read && (read.Value < low || read.Value > high)
                ? new Wrong($"expected {min} to {max}")
                : Units.ReadBytes(text),
            Writer = Units.WriteBytes,
        };
    }

    public static Setting<TimeSpan> Duration(string key, string @default, string min, string max, string doc)
    {
        var (low, high) = (Units.ReadDuration(min).Value, Units.ReadDuration(max).Value);
        return new(key, null, "time", $"{min} to {max}", @default, doc, false)
        {
            Reader = text => Units.ReadDuration(text) is { Error: null } read && (read.Value < low || read.Value > high)
                ? new Wrong($"expected {min} to {max}")
                : Units.ReadDuration(text),
            Writer = Units.WriteDuration,
        };
    }

    public static Setting<int> Number(string key, int @default, int min, int max, string doc) =>
        new(key, null, "number", Invariant($"{min} to {max}"), Invariant($"{@default}"), doc, false)
        {
            Reader = text => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max
                ? value
                : new Wrong(Invariant($"expected a whole number from {min} to {max}")),
            Writer = value => Invariant($"{value}"),
        };

    public static Setting<DiskAmount> Disk(string key, string @default, string doc) =>
        new(key, null, "share or bytes", "0% to 100%, or bytes", @default, doc, false)
        {
            Reader = Units.ReadDiskAmount,
            Writer = Units.WriteDiskAmount,
        };

    public static Setting<string> Choice(string key, string @default, string doc, params string[] choices) =>
        new(key, null, "choice", string.Join(", ", choices), @default, doc, false)
        {
            Reader = text => choices.Contains(text, StringComparer.Ordinal)
                ? text
                : new Wrong($"expected one of {string.Join(", ", choices)}"
                    + (Spelling.Nearest(text, choices) is { } near ? $"; did you mean {near}?" : "")),
            Writer = value => value,
        };

    /// <summary><c>true</c> or <c>false</c>.</summary>
    public static Setting<bool> Switch(string key, bool @default, string doc) =>
        new(key, null, "switch", "true, false", @default ? "true" : "false", doc, false)
        {
            Reader = text => text switch { "true" => true, "false" => false, _ => new Wrong("expected true or false") },
            Writer = value => value ? "true" : "false",
        };

    /// <summary>Words with commas, or a list of YAML; each must match <paramref name="form"/>.</summary>
    public static Setting<IReadOnlyList<string>> Words(string key, string @default, string doc, Predicate<string> form, string expected) =>
        new(key, null, "list", expected, @default, doc, false)
        {
            Reader = text => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is var words && Array.Find(words, word => !form(word)) is { } wrong
                ? new Wrong($"'{wrong}' is not {expected}")
                : new Parsed<IReadOnlyList<string>>(words, null),
            Writer = words => string.Join(',', words),
        };

    public static Setting<string> Text(string key, string @default, string doc, bool secret = false) =>
        new(key, null, "text", "", @default, doc, secret) { Reader = NoControlCharacters, Writer = value => value };

    /// <summary>A path; relative ones are made absolute by the loader, which knows where they were written.</summary>
    public static Setting<string> Folder(string key, string @default, string doc) =>
        new(key, null, "folder", "", @default, doc, false) { Reader = NoControlCharacters, Writer = value => value };

    public static Setting<string> Address(string key, string @default, string doc) =>
        new(key, null, "address", "an IPv4 or IPv6 address, or localhost", @default, doc, false)
        {
            Reader = text => text is "localhost" || IPAddress.TryParse(text, out _)
                ? text
                : new Wrong("expected an IP address such as 127.0.0.1 or ::1, or localhost"),
            Writer = value => value,
        };

    /// <summary><c>all</c>, <c>none</c> or indices with commas.</summary>
    public static Setting<string> GpuList(string key, string @default, string doc) =>
        new(key, null, "list", "all, none, or indices", @default, doc, false)
        {
            Reader = text => text is "all" or "none" || text.Split(',').All(part => ushort.TryParse(part.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out _))
                ? text.Replace(" ", "", StringComparison.Ordinal)
                : new Wrong("expected all, none, or indices such as 0,1"),
            Writer = value => value,
        };

    private static Parsed<string> NoControlCharacters(string text) =>
        text.Any(char.IsControl) ? new Wrong("control characters are not allowed") : text;

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
