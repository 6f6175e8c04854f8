using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dure.Host.Web;

/// <summary>A problem as the API shows it, RFC 9457 with Dure's own members.</summary>
public sealed record ProblemView(string Type, string Id, string Title, int Status, string Detail, string Remedy, IReadOnlyList<Fault>? Faults)
{
    /// <summary>The view of a problem.</summary>
    public static ProblemView Of(Problem problem) => new("/errors/" + problem.Kind.Id, problem.Kind.Id, problem.Kind.Title, problem.Kind.Status,
        problem.Detail, problem.Kind.Remedy, problem.Faults.Count == 0 ? null : problem.Faults);
}

/// <summary>Answers requests with problems.</summary>
public static class ProblemResponse
{
    /// <summary>Writes the problem as the response.</summary>
    public static Task WriteAsync(HttpContext context, Problem problem)
    {
        context.Response.StatusCode = problem.Kind.Status;
        context.Response.ContentType = "application/problem+json";
        return JsonSerializer.SerializeAsync(context.Response.Body, ProblemView.Of(problem), ProblemJson.Default.ProblemView, context.RequestAborted);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ProblemView))]
internal sealed partial class ProblemJson : JsonSerializerContext;
