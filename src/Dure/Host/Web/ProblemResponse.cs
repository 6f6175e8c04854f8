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
    /// <summary>Maps the pages that the <c>type</c> of a problem leads to.</summary>
    public static void MapPages(WebApplication app) => app.MapGet("/errors/{id}", static http =>
    {
        if (Commands.ReferencePages.ErrorPage((string)http.Request.RouteValues["id"]!) is not { } page)
            return WriteAsync(http, HostErrors.NoSuchRoute.With($"There is no kind of error '{http.Request.RouteValues["id"]}'."));
        http.Response.ContentType = "text/markdown; charset=utf-8";
        return http.Response.WriteAsync(page, http.RequestAborted);
    });

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
