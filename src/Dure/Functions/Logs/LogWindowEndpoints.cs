using System.Globalization;
using System.Text.Json.Serialization;
using Dure.Functions.Api;
using Dure.Functions.Dispatch;
using Dure.Host.Web;

namespace Dure.Functions.Logs;

/// <summary>A log as a whole.</summary>
/// <param name="Lines">Lines so far.</param>
/// <param name="Stride">`offsets` has where every so-manieth line begins, in bytes; the first is that of line 0.</param>
/// <param name="Ended">Nothing will be added.</param>
public sealed record LogIndexView(long Lines, long Bytes, int Stride, IReadOnlyList<long>? Offsets, bool Ended);

/// <summary>Lines of a log; the first is `from`.</summary>
/// <param name="Cut">Numbers of lines that are longer than what is shown of them.</param>
public sealed record LogWindow(long From, IReadOnlyList<string> Lines, IReadOnlyList<long>? Cut);

/// <summary>JSON of what is asked of logs.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LogIndexView))]
[JsonSerializable(typeof(LogWindow))]
[JsonSerializable(typeof(LogHits))]
internal sealed partial class LogJson : JsonSerializerContext;

/// <summary>Logs for those who look at a part of them: how long they are, lines by number, search.</summary>
internal sealed class LogWindowEndpoints(FunctionsContext context, InvocationEndpoints invocations)
{
    private const int CountMost = 2000;
    private const int HitsMost = 10_000;
    private const int HitsUsual = 1000;
    private const int WindowBytes = 1 << 20;
    private readonly LogIndexes _indexes = new(context.Logs);

    /// <summary>GET /api/invocations/{id}/logs/index.</summary>
    public async Task IndexAsync(HttpContext http)
    {
        // The state first: what a final one promises is then in the file.
        if (await FindAsync(http) is not { } found)
            return;
        var extent = await _indexes.Of(found.Id).ExtentAsync(found.Length, http.RequestAborted);
        var view = new LogIndexView(extent.Lines, extent.Bytes, extent.Stride, http.Request.Query["offsets"] == "false" ? null : extent.Offsets, found.Ended);
        await InvocationEndpoints.JsonAsync(http, view, LogJson.Default.LogIndexView);
    }

    /// <summary>GET /api/invocations/{id}/logs/lines.</summary>
    public async Task LinesAsync(HttpContext http)
    {
        if (await FindAsync(http) is not { } found)
            return;
        if (Number(http, "from", 0) is not { } from || Number(http, "count", 200) is not (>= 1 and <= CountMost and var count))
        {
            await ProblemResponse.WriteAsync(http, LogErrors.BadWindow.With($"from={http.Request.Query["from"]}, count={http.Request.Query["count"]}"));
            return;
        }
        var lines = await _indexes.Of(found.Id).LinesAsync(from, (int)count, WindowBytes, found.Length, http.RequestAborted);
        var cut = lines.Where(line => line.Cut).Select(line => line.Number).ToList();
        await InvocationEndpoints.JsonAsync(http, new LogWindow(from, lines.ConvertAll(line => line.Text), cut.Count == 0 ? null : cut), LogJson.Default.LogWindow);
    }

    /// <summary>GET /api/invocations/{id}/logs/search.</summary>
    public async Task SearchAsync(HttpContext http)
    {
        if (await FindAsync(http) is not { } found)
            return;
        var query = http.Request.Query;
        var search = LogSearch.Of(query["text"].ToString(), query["regex"] == "true", query["case"] == "true");
        if (!search.Ok)
        {
            await ProblemResponse.WriteAsync(http, search.Problem);
            return;
        }
        var limit = (int)Math.Clamp(Number(http, "limit", HitsUsual) ?? HitsUsual, 1, HitsMost);
        var path = context.Logs.PathOf(found.Id);
        var length = found.Length ?? (File.Exists(path) ? new FileInfo(path).Length : 0);
        var hits = await search.Value.FindAsync(path, length, query["after"] is [{ Length: > 0 } after] ? after : null, limit, http.RequestAborted);
        if (hits.Ok)
            await InvocationEndpoints.JsonAsync(http, hits.Value, LogJson.Default.LogHits);
        else
            await ProblemResponse.WriteAsync(http, hits.Problem);
    }

    private static long? Number(HttpContext http, string name, long otherwise) =>
        http.Request.Query[name] is not [{ Length: > 0 } text] ? otherwise : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    // A log that is being written is as long as its writer says; what a full disk left of a write is no part of it.
    private async ValueTask<(long Id, bool Ended, long? Length)?> FindAsync(HttpContext http)
    {
        if (await invocations.FindAsync(http) is not { } view || InvocationEndpoints.ReadId(http) is not { } id)
            return null;
        LogFile? open = context.Dispatcher.Active(id)?.Log;
        return (id, LogEndpoints.IsFinal(view.State), open?.Length);
    }
}
