using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Dure.Storage.S3;

/// <summary>What a policy says of a request.</summary>
internal enum PolicyEffect
{
    Nothing,
    Allow,
    Deny,
}

/// <summary>
/// A bucket policy, in the part of AWS's language (policy grammar, 2012-10-17) that this store enforces: Effect, Principal, Action and Resource, with
/// wildcards. What it cannot enforce (Condition, NotAction...) is refused when the policy is put, never ignored.
/// </summary>
internal sealed class BucketPolicy
{
    public const int LengthMax = 20 * 1024;

    private const string Arn = "arn:aws:s3:::";
    private static readonly ConditionalWeakTable<string, BucketPolicy> Parsed = [];

    private readonly List<Statement> _statements = [];

    /// <summary>Whether anyone at all is allowed something.</summary>
    public bool IsPublic => _statements.Exists(statement => statement.Allow && statement.Principals is null);

    /// <summary>A policy that was accepted before; read once for each text.</summary>
    public static BucketPolicy Of(string text, string bucket)
    {
        if (Parsed.TryGetValue(text, out var known))
            return known;
        var (policy, error) = Parse(text, bucket);
        // What cannot be understood denies: it may have been meant to.
        policy ??= new BucketPolicy { _statements = { new Statement(false, null, ["*"], ["*"]) } };
        _ = error;
        Parsed.AddOrUpdate(text, policy);
        return policy;
    }

    /// <summary>Reads a policy for a bucket; the error says what of it is not understood.</summary>
    public static (BucketPolicy? Policy, S3Error? Error) Parse(string text, string bucket)
    {
        if (text.Length > LengthMax)
            return (null, Malformed($"Policies are at most {LengthMax} bytes long."));
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                return (null, Malformed("Policies must be valid JSON and the first byte must be '{'"));
            if (root.TryGetProperty("Version", out var version) && version.GetString() is not ("2012-10-17" or "2008-10-17"))
                return (null, Malformed("The policy must contain a valid version string"));
            if (!root.TryGetProperty("Statement", out var statements))
                return (null, Malformed("Missing required field Statement"));
            var policy = new BucketPolicy();
            foreach (var statement in statements.ValueKind == JsonValueKind.Array ? [.. statements.EnumerateArray()] : new[] { statements })
            {
                if (policy.Read(statement, bucket) is { } wrong)
                    return (null, Malformed(wrong));
            }
            return policy._statements.Count > 0 ? (policy, null) : (null, Malformed("Could not parse the policy: Statement is empty!"));
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return (null, Malformed("This policy contains invalid Json"));
        }
    }

    /// <summary>What it says; a denial goes before everything that allows.</summary>
    /// <param name="user">Null for an anonymous request.</param>
    public PolicyEffect Decide(string? user, string action, string bucket, string? key)
    {
        var effect = PolicyEffect.Nothing;
        foreach (var statement in _statements)
        {
            if (!statement.Applies(user, action, bucket, key))
                continue;
            if (!statement.Allow)
                return PolicyEffect.Deny;
            effect = PolicyEffect.Allow;
        }
        return effect;
    }

    /// <summary>Whether a text is as a pattern with <c>*</c> and <c>?</c> says.</summary>
    internal static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text, bool ignoreCase)
    {
        var (at, back, from) = (0, -1, 0);
        for (var i = 0; i < text.Length;)
        {
            if (at < pattern.Length && (pattern[at] == '?' || Same(pattern[at], text[i], ignoreCase)) && pattern[at] != '*')
            {
                at++;
                i++;
            }
            else if (at < pattern.Length && pattern[at] == '*')
            {
                (back, from) = (++at, i);
            }
            else if (back >= 0)
            {
                (at, i) = (back, ++from);
            }
            else
            {
                return false;
            }
        }
        return pattern[at..].TrimStart('*').IsEmpty;
    }

    private static bool Same(char one, char other, bool ignoreCase) => one == other || (ignoreCase && char.ToLowerInvariant(one) == char.ToLowerInvariant(other));

    private string? Read(JsonElement statement, string bucket)
    {
        foreach (var property in statement.EnumerateObject())
        {
            if (property.Name is not ("Sid" or "Effect" or "Principal" or "Action" or "Resource"))
                return property.Name is "Condition" or "NotAction" or "NotPrincipal" or "NotResource"
                    ? $"{property.Name} is not enforced by this store, so a policy that has it is refused"
                    : $"Unknown field {property.Name}";
        }
        if (!statement.TryGetProperty("Effect", out var effect) || effect.GetString() is not ("Allow" or "Deny"))
            return "Invalid effect: it is Allow or Deny";
        if (!statement.TryGetProperty("Principal", out var who))
            return "Missing required field Principal";
        if (!statement.TryGetProperty("Action", out var what) || Texts(what) is not { Count: > 0 } actions)
            return "Missing required field Action";
        if (!statement.TryGetProperty("Resource", out var on) || Texts(on) is not { Count: > 0 } resources)
            return "Missing required field Resource";
        if (actions.Exists(action => action != "*" && (!action.StartsWith("s3:", StringComparison.OrdinalIgnoreCase) || action.Length == 3)))
            return "Policy has invalid action";
        for (var i = 0; i < resources.Count; i++)
        {
            if (!resources[i].StartsWith(Arn, StringComparison.Ordinal))
                return "Policy has invalid resource";
            resources[i] = resources[i][Arn.Length..];
            var slash = resources[i].IndexOf('/', StringComparison.Ordinal);
            if (!Matches(slash < 0 ? resources[i] : resources[i][..slash], bucket, ignoreCase: false))
                return "Policy has invalid resource";
        }
        if (!Principals(who, out var principals))
            return "Invalid principal in policy";
        _statements.Add(new Statement(effect.GetString() == "Allow", principals, actions, resources));
        return null;
    }

    /// <param name="users">Null for everyone.</param>
    private static bool Principals(JsonElement who, out List<string>? users)
    {
        users = null;
        if (who.ValueKind == JsonValueKind.Object)
        {
            if (!who.TryGetProperty("AWS", out who) || Texts(who) is not { Count: > 0 } names)
                return false;
            if (names.Contains("*"))
                return true;
            users = [.. names.Select(name => name.StartsWith("arn:aws:iam::", StringComparison.Ordinal) ? name[(name.LastIndexOfAny([':', '/']) + 1)..] : name)];
            return users.TrueForAll(name => name.Length > 0);
        }
        return who.ValueKind == JsonValueKind.String && who.GetString() == "*";
    }

    private static List<string> Texts(JsonElement value) => value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(one => one.GetString() ?? "")] : [value.GetString() ?? ""];

    private static S3Error Malformed(string message) => new("MalformedPolicy", 400, message);

    /// <param name="Principals">Null for everyone.</param>
    /// <param name="Resources">Without the part that all have.</param>
    private sealed record Statement(bool Allow, List<string>? Principals, List<string> Actions, List<string> Resources)
    {
        public bool Applies(string? user, string action, string bucket, string? key)
        {
            if (Principals is not null && (user is null || !Principals.Contains(user)))
                return false;
            if (!Actions.Exists(pattern => Matches(pattern, action, ignoreCase: true)))
                return false;
            var resource = key is null ? bucket : $"{bucket}/{key}";
            return Resources.Exists(pattern => Matches(pattern, resource, ignoreCase: false));
        }
    }
}
