using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;

namespace Dure.Storage.Signing;

/// <summary>What the author of a form allows (docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html).</summary>
internal sealed record PolicyDocument(DateTimeOffset Expiration, IReadOnlyList<PolicyCondition> Conditions, long LengthMin, long LengthMax)
{
    private const int BytesMax = 64 * 1024;

    /// <summary>Reads a policy.</summary>
    /// <param name="coded">JSON in base 64, as the form has it.</param>
    /// <returns>It, or what is wrong with it.</returns>
    public static (PolicyDocument? Policy, string? Fault) Parse(string coded)
    {
        if (coded.Length > BytesMax || !Base64.IsValid(coded))
        {
            return (null, "Invalid Policy: Invalid Base64.");
        }
        try
        {
            using var json = JsonDocument.Parse(Convert.FromBase64String(coded), new JsonDocumentOptions { MaxDepth = 8 });
            return Read(json.RootElement);
        }
        catch (JsonException)
        {
            return (null, "Invalid Policy: Invalid JSON.");
        }
        catch (InvalidOperationException)
        {
            // A text with half of a surrogate pair.
            return (null, "Invalid Policy: Invalid JSON.");
        }
    }

    private static (PolicyDocument? Policy, string? Fault) Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            return (null, "Invalid Policy: Invalid JSON.");
        }
        if (!root.TryGetProperty("expiration", out var expiration))
        {
            return (null, "Invalid Policy: Policy missing expiration.");
        }
        if (expiration.ValueKind != JsonValueKind.String || !TryParseTime(expiration.GetString(), out var end))
        {
            return (null, $"Invalid Policy: Invalid 'expiration' value: '{expiration}'");
        }
        if (!root.TryGetProperty("conditions", out var conditions))
        {
            return (null, "Invalid Policy: Policy missing conditions.");
        }
        if (conditions.ValueKind != JsonValueKind.Array)
        {
            return (null, "Invalid Policy: Invalid 'conditions' value: must be a List.");
        }
        var made = new List<PolicyCondition>();
        var (least, most) = (0L, long.MaxValue);
        foreach (var condition in conditions.EnumerateArray())
        {
            if (ReadSimple(condition) is { } simple)
            {
                made.Add(simple);
            }
            else if (ReadRange(condition) is var (from, to))
            {
                (least, most) = (Math.Max(least, from), Math.Min(most, to));
            }
            else if (ReadListed(condition) is { } listed)
            {
                made.Add(listed);
            }
            else
            {
                return (null, condition.ValueKind == JsonValueKind.Object
                    ? "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."
                    : $"Invalid Policy: Invalid condition: {condition.GetRawText()}");
            }
        }
        return (new PolicyDocument(end, made, least, most), null);
    }

    private static PolicyCondition? ReadSimple(JsonElement condition)
    {
        if (condition.ValueKind != JsonValueKind.Object)
        {
            return null;
        }
        var properties = condition.EnumerateObject().ToList();
        return properties.Count == 1 && Text(properties[0].Value) is { } value ? new PolicyCondition(properties[0].Name.ToLowerInvariant(), value, StartsWith: false) : null;
    }

    private static PolicyCondition? ReadListed(JsonElement condition)
    {
        if (condition.ValueKind != JsonValueKind.Array || condition.GetArrayLength() != 3 || Text(condition[0]) is not { } word
            || Text(condition[1]) is not { Length: > 1 } name || name[0] != '$' || Text(condition[2]) is not { } value)
        {
            return null;
        }
        return word.ToLowerInvariant() switch
        {
            "eq" => new PolicyCondition(name[1..].ToLowerInvariant(), value, StartsWith: false),
            "starts-with" => new PolicyCondition(name[1..].ToLowerInvariant(), value, StartsWith: true),
            _ => null,
        };
    }

    private static (long From, long To)? ReadRange(JsonElement condition) =>
        condition.ValueKind == JsonValueKind.Array && condition.GetArrayLength() == 3
        && "content-length-range".Equals(Text(condition[0]), StringComparison.OrdinalIgnoreCase)
        && long.TryParse(Text(condition[1]), NumberStyles.None, CultureInfo.InvariantCulture, out var from)
        && long.TryParse(Text(condition[2]), NumberStyles.None, CultureInfo.InvariantCulture, out var to)
        && from <= to
            ? (from, to)
            : null;

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        _ => null,
    };

    private static bool TryParseTime(string? text, out DateTimeOffset time) => DateTimeOffset.TryParseExact(
        text,
        ["yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'"],
        CultureInfo.InvariantCulture,
        DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
        out time);
}

/// <summary>What a field of the form must be or begin with.</summary>
/// <param name="Field">Lower case.</param>
internal sealed record PolicyCondition(string Field, string Value, bool StartsWith)
{
    /// <summary>Whether a value is what the condition wants.</summary>
    public bool Holds(string value) => StartsWith ? value.StartsWith(Value, StringComparison.Ordinal) : value == Value;

    /// <summary>As S3 quotes it when it does not hold.</summary>
    public override string ToString() => $"[\"{(StartsWith ? "starts-with" : "eq")}\", \"${Field}\", \"{Value}\"]";
}
