using Dure.Storage.S3;

namespace Dure.Storage.Signing;

/// <summary>A form whose policy and signature hold.</summary>
/// <param name="Key">Null for an anonymous form.</param>
/// <param name="LengthMin">Bytes that the file must have at least; fewer is EntityTooSmall.</param>
/// <param name="LengthMax">Bytes that it may have at most; more is EntityTooLarge.</param>
public sealed record VerifiedPost(AccessKey? Key, long LengthMin, long LengthMax);

/// <summary>Verifies forms by which browsers upload (docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html), signed by Version 4 or 2.</summary>
/// <param name="find">The key of an id; null when there is none.</param>
/// <param name="region">The store's region; <c>us-east-1</c> is accepted beside it.</param>
public sealed class PostPolicy(Func<string, AccessKey?> find, string region, TimeProvider time)
{
    private static readonly HashSet<string> NeedNoCondition = new(StringComparer.OrdinalIgnoreCase)
    {
        "policy", "x-amz-signature", "signature", "AWSAccessKeyId", "file",
    };

    private readonly SigningKeys _keys = new();

    /// <summary>The verified form, or the error that S3 answers with. Without a policy it is anonymous.</summary>
    /// <param name="bucket">The bucket that the address names; conditions may name it though no field does.</param>
    /// <param name="fields">Those before the file, in any case of their names, with the file's name filled into the key.</param>
    public (VerifiedPost? Post, S3Error? Error) Verify(string bucket, IEnumerable<KeyValuePair<string, string>> fields)
    {
        var form = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in fields)
        {
            form[name] = value;
        }
        if (!form.TryGetValue("policy", out var coded))
        {
            return form.ContainsKey("x-amz-signature") || form.ContainsKey("signature")
                ? (null, Missing("policy"))
                : (new VerifiedPost(null, 0, long.MaxValue), null);
        }
        var (key, error) = form.ContainsKey("x-amz-signature") || form.ContainsKey("x-amz-credential") ? VerifyV4(form, coded) : VerifyV2(form, coded);
        if (key is null)
        {
            return (null, error);
        }
        var (policy, fault) = PolicyDocument.Parse(coded);
        if (policy is null)
        {
            return (null, new S3Error("InvalidPolicyDocument", 400, fault!));
        }
        return Check(policy, bucket, form) is { } refused ? (null, refused) : (new VerifiedPost(key, policy.LengthMin, policy.LengthMax), null);
    }

    private static S3Error Missing(string field) => SigningErrors.BadArgument(
        $"Bucket POST must contain a field named '{field}'.  If it is specified, please check the order of the fields.", field, "");

    private S3Error? Check(PolicyDocument policy, string bucket, Dictionary<string, string> form)
    {
        if (time.GetUtcNow() >= policy.Expiration)
        {
            return SigningErrors.Denied("Invalid according to Policy: Policy expired.");
        }
        var values = new Dictionary<string, string>(form, StringComparer.OrdinalIgnoreCase) { ["bucket"] = bucket };
        foreach (var condition in policy.Conditions)
        {
            if (!condition.Holds(values.GetValueOrDefault(condition.Field, "")))
            {
                return SigningErrors.Denied($"Invalid according to Policy: Policy Condition failed: {condition}");
            }
        }
        if (form.TryGetValue("bucket", out var named) && named != bucket)
        {
            return SigningErrors.Denied("Invalid according to Policy: the field bucket is not the bucket of the address.");
        }
        var covered = policy.Conditions.Select(condition => condition.Field).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var extra = values.Keys
            .Where(field => !NeedNoCondition.Contains(field) && !field.StartsWith("x-ignore-", StringComparison.OrdinalIgnoreCase) && !covered.Contains(field))
            .ToList();
        return extra.Count > 0 ? SigningErrors.Denied($"Invalid according to Policy: Extra input fields: {string.Join(", ", extra)}") : null;
    }

    private (AccessKey? Key, S3Error? Error) VerifyV4(Dictionary<string, string> form, string coded)
    {
        foreach (var field in (ReadOnlySpan<string>)["x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"])
        {
            if (!form.TryGetValue(field, out var value) || value.Length == 0)
            {
                return (null, Missing(field));
            }
        }
        if (form["x-amz-algorithm"] != CredentialScope.Algorithm)
        {
            return (null, SigningErrors.BadArgument($"X-Amz-Algorithm only supports \"{CredentialScope.Algorithm}\"", "x-amz-algorithm", form["x-amz-algorithm"]));
        }
        var (scope, fault) = CredentialScope.Parse(form["x-amz-credential"]);
        if (scope is null)
        {
            return (null, SigningErrors.BadQuery("Error parsing the X-Amz-Credential parameter; " + fault));
        }
        if (scope.Region != region && scope.Region != "us-east-1")
        {
            return (null, SigningErrors.BadQuery($"Error parsing the X-Amz-Credential parameter; the region '{scope.Region}' is wrong; expecting '{region}'"));
        }
        if (!CredentialScope.TryParseTime(form["x-amz-date"], out _) || form["x-amz-date"][..8] != scope.Date)
        {
            return (null, SigningErrors.BadQuery("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\" and of the day of the credential"));
        }
        var signature = form["x-amz-signature"];
        var found = FindKey(scope.KeyId, form);
        return found.Key is not { } key ? found
            : SigningKeys.AreEqual(SigningKeys.Sign(_keys.Find(key.Secret, scope.Date, scope.Region), coded), signature) ? found
            : (null, SigningErrors.Mismatch(key.Id, signature, coded, canonicalRequest: null));
    }

    private (AccessKey? Key, S3Error? Error) VerifyV2(Dictionary<string, string> form, string coded)
    {
        if (!form.TryGetValue("AWSAccessKeyId", out var id) || id.Length == 0)
        {
            return (null, Missing("AWSAccessKeyId"));
        }
        if (!form.TryGetValue("signature", out var signature) || signature.Length == 0)
        {
            return (null, Missing("signature"));
        }
        var found = FindKey(id, form);
        return found.Key is not { } key ? found
            : SigningKeys.AreEqual(SignatureV2.Sign(key.Secret, coded), signature) ? found
            : (null, SigningErrors.Mismatch(id, signature, coded, canonicalRequest: null));
    }

    private (AccessKey? Key, S3Error? Error) FindKey(string id, Dictionary<string, string> form) =>
        find(id) is not { } key || key.ExpiresAt <= time.GetUtcNow() ? (null, SigningErrors.UnknownKey(id))
        : form.ContainsKey("x-amz-security-token") ? (null, SigningErrors.OtherToken)
        : (key, null);
}
