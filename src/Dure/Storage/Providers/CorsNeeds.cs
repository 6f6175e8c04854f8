namespace Dure.Storage.Providers;

/// <summary>What the tracking clients' pages and the portal need of a bucket's CORS rules.</summary>
public static class CorsNeeds
{
    /// <summary>A rule that has it all, for any origin.</summary>
    public static readonly BucketCors Rule = new(["*"], ["GET", "HEAD", "PUT"], ["*"], ["ETag"], 3000);

    /// <summary>What the rule that comes nearest still lacks; empty when a rule has it all.</summary>
    public static IReadOnlyList<string> Missing(IReadOnlyList<BucketCors> rules) =>
        rules.Select(Of).OrderBy(lacks => lacks.Count).FirstOrDefault() ?? Of(new BucketCors([], [], [], [], null));

    private static List<string> Of(BucketCors rule)
    {
        var missing = Rule.Methods.Where(method => !rule.Methods.Contains(method, StringComparer.OrdinalIgnoreCase)).Select(method => "method " + method).ToList();
        if (rule.Origins.Count == 0)
        {
            missing.Insert(0, "an origin, such as *");
        }

        if (!rule.AllowedHeaders.Contains("*", StringComparer.Ordinal))
        {
            missing.Add("allowed headers *");
        }

        if (!rule.ExposeHeaders.Contains("ETag", StringComparer.OrdinalIgnoreCase))
        {
            missing.Add("exposed header ETag");
        }

        return missing;
    }
}
