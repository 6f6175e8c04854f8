using System.Text;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using Dure.Functions.Deploy;
using Dure.Host;
using Dure.Host.Identity;
using Dure.Host.Web;

namespace Dure.Functions.Api;

/// <summary>Events that people keep beside a function, to try it with.</summary>
internal sealed partial class TestEventEndpoints(FunctionEndpoints functions, TestEventStore store)
{
    /// <summary>GET /api/functions/{name}/test-events.</summary>
    public async Task ListAsync(HttpContext http)
    {
        if (await functions.FindAsync(http) is not { } function)
            return;
        var events = await store.ListAsync(function.Id, http.RequestAborted);
        await InvocationEndpoints.JsonAsync(http, new Page<TestEventView>([.. events.Select(e => new TestEventView(e.Name, e.Owner, e.UpdatedAt, e.Bytes))], null), ApiJson.Default.PageTestEventView);
    }

    /// <summary>GET /api/functions/{name}/test-events/{event}: the event itself, as it was saved.</summary>
    public async Task ShowAsync(HttpContext http)
    {
        if (await functions.FindAsync(http) is not { } function)
            return;
        if (await store.FindAsync(function.Id, NameIn(http), http.RequestAborted) is not { } body)
        {
            await ProblemResponse.WriteAsync(http, Missing(function, NameIn(http)));
            return;
        }
        http.Response.ContentType = "application/json";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(body), http.RequestAborted);
    }

    /// <summary>PUT /api/functions/{name}/test-events/{event}: the body is the event.</summary>
    public async Task SaveAsync(HttpContext http)
    {
        if (await functions.FindAsync(http) is not { } function)
            return;
        var name = NameIn(http);
        var bytes = new byte[TestEventStore.BytesMax + 1];
        var length = await http.Request.Body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, http.RequestAborted);
        List<Fault> faults = [];
        if (!Named().IsMatch(name))
            faults.Add(new Fault("event", $"\"{SourcePaths.Show(name)}\": a name has 1 to 64 letters, digits, spaces, `.`, `_` and `-`, and begins with a letter or a digit."));
        if (length > TestEventStore.BytesMax)
            faults.Add(new Fault("body", $"It is larger than {TestEventStore.BytesMax / 1024} KiB."));
        else if ((Utf8.IsValid(bytes.AsSpan(0, length)) ? JsonText.Fault(bytes.AsSpan(0, length)) : "It is not UTF-8.") is { } fault)
            faults.Add(new Fault("body", fault));
        if (faults.Count > 0)
        {
            await ProblemResponse.WriteAsync(http, FunctionErrors.BadTestEvent.With($"The event for '{function.Name}' was not saved.", faults));
            return;
        }
        if (!await store.SaveAsync(function.Id, name, Encoding.UTF8.GetString(bytes, 0, length), http.Caller().Name))
        {
            await ProblemResponse.WriteAsync(http, FunctionErrors.BadTestEvent.With($"'{function.Name}' has {TestEventStore.CountMax} saved events already; delete one first."));
            return;
        }
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>DELETE /api/functions/{name}/test-events/{event}.</summary>
    public async Task RemoveAsync(HttpContext http)
    {
        if (await functions.FindAsync(http) is not { } function)
            return;
        if (!await store.RemoveAsync(function.Id, NameIn(http)))
        {
            await ProblemResponse.WriteAsync(http, Missing(function, NameIn(http)));
            return;
        }
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static string NameIn(HttpContext http) => (string)http.Request.RouteValues["event"]!;

    private static Problem Missing(Function function, string name) => FunctionErrors.NoSuchTestEvent.With($"'{function.Name}' has no saved event '{SourcePaths.Show(name)}'.");

    [GeneratedRegex(@"^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Named();
}
