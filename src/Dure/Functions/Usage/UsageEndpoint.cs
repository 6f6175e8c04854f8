using System.Globalization;
using System.Text.Json.Serialization;
using Dure.Functions.Api;
using Dure.Host;
using Dure.Host.Web;

namespace Dure.Functions.Usage;

/// <summary>JSON of what invocations use.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.Never)]
[JsonSerializable(typeof(Series))]
internal sealed partial class UsageJson : JsonSerializerContext;

/// <summary>What an invocation uses, over time.</summary>
internal sealed class UsageEndpoint(FunctionsContext context, InvocationEndpoints invocations, UsageBook usages)
{
    private const int BucketsUsual = 300;
    private const int BucketsMost = 4000;

    /// <summary>GET /api/invocations/{id}/usage.</summary>
    public async Task HandleAsync(HttpContext http)
    {
        if (await invocations.FindAsync(http) is not { } view || InvocationEndpoints.ReadId(http) is not { } id)
            return;
        var faults = new List<Fault>();
        long Number(string name, long otherwise, long most)
        {
            if (http.Request.Query[name] is not [{ Length: > 0 } text])
                return otherwise;
            if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= most)
                return number;
            faults.Add(new Fault(name, $"'{text}' is not a number up to {most}."));
            return otherwise;
        }
        var from = Number("from", (view.StartedAt ?? view.CreatedAt).ToUnixTimeMilliseconds(), long.MaxValue / 2);
        var to = Number("to", (view.FinishedAt ?? context.Time.GetUtcNow()).ToUnixTimeMilliseconds(), long.MaxValue / 2);
        var buckets = (int)Math.Max(1, Number("buckets", BucketsUsual, BucketsMost));
        if (to <= from && http.Request.Query.ContainsKey("to"))
            faults.Add(new Fault("to", "It must be after `from`."));
        if (faults.Count > 0)
        {
            await ProblemResponse.WriteAsync(http, FunctionErrors.BadFilter.With("The query has faults.", faults));
            return;
        }
        var series = UsageSeries.Of(usages.Read(id), from, Math.Max(to, from + 1), buckets);
        await InvocationEndpoints.JsonAsync(http, series, UsageJson.Default.Series);
    }
}
