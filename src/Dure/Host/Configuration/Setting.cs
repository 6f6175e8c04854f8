namespace Dure.Host.Configuration;

/// <summary>One thing that can be configured. The table of them is <see cref="Settings"/>.</summary>
/// <param name="Key">Dotted path in dure.yaml, such as <c>functions.payload_limit</c>.</param>
/// <param name="Flag">The flag of <c>dure up</c>, such as <c>--port</c>; null where only <c>--set key=value</c> serves.</param>
/// <param name="Type">The kind of value in a word: text, number, bytes, time, ...</param>
/// <param name="Range">The values that are accepted, in words; empty when any is.</param>
/// <param name="Default">As it would be written in dure.yaml.</param>
/// <param name="Doc">One sentence.</param>
/// <param name="Secret">The value is never shown.</param>
public abstract record Setting(string Key, string? Flag, string Type, string Range, string Default, string Doc, bool Secret)
{
    /// <summary>The environment variable, such as <c>DURE_FUNCTIONS_PAYLOAD_LIMIT</c>.</summary>
    public string Variable => "DURE_" + Key.Replace('.', '_').Replace('-', '_').ToUpperInvariant();

    /// <summary>Section in dure.yaml; empty for keys at the top.</summary>
    public string Section => Key.LastIndexOf('.') is var dot and >= 0 ? Key[..dot] : "";

    /// <summary>The last part of <see cref="Key"/>.</summary>
    public string Name => Key[(Key.LastIndexOf('.') + 1)..];

    /// <summary>Reads a value; the error says what is wrong and what would be right.</summary>
    public abstract Parsed<object> Read(string text);

    /// <summary>Writes a value as it would stand in dure.yaml.</summary>
    public abstract string Write(object value);
}

/// <summary>A setting whose value is a <typeparamref name="T"/>.</summary>
public sealed record Setting<T>(string Key, string? Flag, string Type, string Range, string Default, string Doc, bool Secret)
    : Setting(Key, Flag, Type, Range, Default, Doc, Secret)
    where T : notnull
{
    /// <summary>Reads the unit and checks the range.</summary>
    public required Func<string, Parsed<T>> Reader { get; init; }

    public required Func<T, string> Writer { get; init; }

    public override Parsed<object> Read(string text)
    {
        var parsed = Reader(text);
        return new(parsed.Value, parsed.Error);
    }

    public override string Write(object value) => Writer((T)value);
}

/// <summary>Where a value came from.</summary>
public enum SettingOrigin
{
    Default,
    File,
    Environment,
    Flag,
}

/// <summary>The value that holds for a setting.</summary>
/// <param name="Where">The flag, the variable, or <c>dure.yaml:3:5</c>; <c>default</c> otherwise.</param>
public sealed record SettingValue(Setting Setting, object Value, SettingOrigin Origin, string Where)
{
    /// <summary>What may be shown: secrets that are set read <c>***</c>.</summary>
    public string Shown => Setting.Secret && Origin != SettingOrigin.Default ? "***" : Setting.Write(Value);
}
