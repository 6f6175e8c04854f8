using System.Globalization;
using Dure.Host.Configuration;

namespace Dure.Host.Texts;

/// <summary>Takes typed values out of a <see cref="YamlMap"/>; every wrong one becomes a fault with its line and column, and null.</summary>
internal sealed class YamlFields(YamlMap map, string file, string prefix, List<Fault> faults)
{
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>Reads a file of <c>key: value</c> lines; an empty one is <paramref name="none"/>.</summary>
    /// <returns>What was read, and every fault; with one, what was read is not to be used.</returns>
    public static (T Value, List<Fault> Faults) Parse<T>(string text, string file, Func<YamlFields, T> read, T none)
    {
        var faults = new List<Fault>();
        switch (YamlTree.Read(text, file, faults))
        {
            case YamlMap map:
                return (read(new YamlFields(map, file, "", faults)), faults);
            case YamlText { IsNull: true } or null:
                break;
            case var other:
                faults.Add(new($"{file}:{other.Line}:{other.Column}", "the file must hold `key: value` lines"));
                break;
        }

        return (none, faults);
    }

    /// <summary>The node of a key, or null when it is absent or empty.</summary>
    public YamlNode? Node(string key)
    {
        _known.Add(key);
        foreach (var (name, value) in map.Entries)
        {
            if (name.Text == key)
                return value is YamlText { IsNull: true } ? null : value;
        }

        return null;
    }

    public void Fault(YamlNode node, string what) => faults.Add(new($"{file}:{node.Line}:{node.Column}", what));

    public string? Text(string key) => Node(key) switch
    {
        null => null,
        YamlText text => text.Text,
        var other => Wrong<string>(other, key, "must be text"),
    };

    public T? Choice<T>(string key, params (string Word, T Value)[] choices)
        where T : struct
    {
        if (Scalar(key) is not { } text)
            return null;
        foreach (var (word, value) in choices)
        {
            if (word == text.Text)
                return value;
        }

        var words = choices.Select(c => c.Word).ToList();
        Fault(text, $"`{prefix}{key}` must be one of {string.Join(", ", words)}; it is \"{Shown.Safely(text.Text)}\".{Spelling.DidYouMean(text.Text, words)}");
        return null;
    }

    public bool? Flag(string key)
    {
        if (Scalar(key) is not { } text)
            return null;
        if (!text.Quoted && text.Text is "true" or "false")
            return text.Text == "true";
        Fault(text, $"`{prefix}{key}` must be true or false; it is \"{Shown.Safely(text.Text)}\"");
        return null;
    }

    public int? Number(string key, int min, int max) => Scalar(key) is { } text ? Number(text, key, min, max) : null;

    public int? Number(YamlText text, string key, int min, int max)
    {
        if (int.TryParse(text.Text.Replace("_", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) && n >= min && n <= max)
            return n;
        Fault(text, string.Create(CultureInfo.InvariantCulture, $"`{prefix}{key}` must be a whole number from {min} to {max}; it is \"{Shown.Safely(text.Text)}\""));
        return null;
    }

    public long? Bytes(string key, long min, long max)
    {
        if (Scalar(key) is not { } text)
            return null;
        if (Quantities.ParseBytes(text.Text) is { } bytes)
        {
            if (bytes >= min && bytes <= max)
                return bytes;
            Fault(text, $"`{prefix}{key}` must be from {Quantities.Bytes(min)} to {Quantities.Bytes(max)}; it is {Quantities.Bytes(bytes)}");
        }
        else
        {
            Fault(text, $"`{prefix}{key}` must be a size with its unit, such as 512MiB or 2GiB; it is \"{Shown.Safely(text.Text)}\"");
        }

        return null;
    }

    public TimeSpan? Duration(string key, TimeSpan min, TimeSpan max, string? none = null)
    {
        if (Scalar(key) is not { } text)
            return null;
        if (none is not null && text.Text == none)
            return TimeSpan.Zero;
        if (Quantities.ParseDuration(text.Text) is { } time)
        {
            if (time >= min && time <= max)
                return time;
            Fault(text, $"`{prefix}{key}` must be from {Quantities.Duration(min)} to {Quantities.Duration(max)}; it is {Quantities.Duration(time)}");
        }
        else
        {
            Fault(text, $"`{prefix}{key}` must be a time with its unit, such as 90s, 15m or 3h{(none is null ? "" : $", or {none}")}; it is \"{Shown.Safely(text.Text)}\"");
        }

        return null;
    }

    /// <summary>Text with a rule of its own.</summary>
    /// <param name="fault">What is wrong with it; null for nothing.</param>
    public string? Checked(string key, Func<string, string?> fault)
    {
        if (Scalar(key) is not { } text)
            return null;
        if (fault(text.Text) is not { } what)
            return text.Text;
        Fault(text, $"`{key}`: {what}");
        return null;
    }

    /// <summary>Names and their values, such as those of environment variables.</summary>
    /// <param name="nameFault">What is wrong with a name, as a sentence; null for nothing.</param>
    /// <param name="valueFault">What is wrong with a value, after its name; null for nothing.</param>
    public Dictionary<string, string>? Variables(string key, Func<string, string?> nameFault, Func<YamlNode, string?> valueFault)
    {
        if (Node(key) is not { } node)
            return null;
        if (node is not YamlMap entries)
        {
            Fault(node, $"`{key}` must be `NAME: value` lines");
            return null;
        }

        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in entries.Entries)
        {
            if (nameFault(name.Text) is { } what)
                Fault(name, what);
            else if (valueFault(value) is { } wrong)
                Fault(value, $"`{key}.{name.Text}` {wrong}");
            else if (value is YamlText text)
                values[name.Text] = text.IsNull ? "" : text.Text;
        }

        return values;
    }

    public YamlText? Scalar(string key) => Node(key) switch
    {
        null => null,
        YamlText text => text,
        var other => Wrong<YamlText>(other, key, "must be a single value"),
    };

    /// <summary>The fields of an inner map, or null when the key is absent or no map.</summary>
    public YamlFields? Map(string key, YamlMap inner) => new(inner, file, $"{prefix}{key}.", faults);

    /// <summary>Call last: every key that nobody asked for is a fault.</summary>
    public void RefuseUnknown()
    {
        foreach (var (name, _) in map.Entries)
        {
            if (!_known.Contains(name.Text))
                Fault(name, $"`{prefix}{Shown.Safely(name.Text)}` is not a known key.{Spelling.DidYouMean(name.Text, _known)}");
        }
    }

    private T? Wrong<T>(YamlNode node, string key, string must)
        where T : class
    {
        Fault(node, $"`{prefix}{key}` {must}; it is a {(node is YamlList ? "list" : "group of keys")}");
        return null;
    }
}
