using System.Net;
using Dure.Host.Texts;
using Dure.Host;

namespace Dure.Apps.Running;

/// <summary>What an app answered when it was asked how it is.</summary>
/// <param name="Status">Of HTTP; 0 when it did not answer.</param>
/// <param name="Said">In words.</param>
internal readonly record struct HealthAnswer(int Status, string Said)
{
    public bool Ok => Status is > 0 and < 400;
}

/// <summary>Asks an app itself how it is, and finds out why when it does not answer.</summary>
internal sealed class HealthProbe(IAppProcesses processes, TimeProvider time) : IDisposable
{
    private const int LastLines = 15;

    /// <summary>An app that listens elsewhere for this long will not come here.</summary>
    private static readonly TimeSpan ElsewhereFor = TimeSpan.FromSeconds(5);

    // Made with the first app: a server without any carries no HTTP client.
    private readonly Lazy<HttpClient> _http = new(static () => new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.Zero, ConnectTimeout = TimeSpan.FromSeconds(2) })
    {
        Timeout = TimeSpan.FromSeconds(5),
    });

    /// <summary>Asks once.</summary>
    public async Task<HealthAnswer> AskAsync(AppRun run, CancellationToken cancel)
    {
        var address = new Uri(FormattableString.Invariant($"http://{Authority.Host(run.Host)}:{run.Port}{(run.Spec.KeepsPrefix ? run.BasePath : "")}/{run.Spec.Health}"));
        try
        {
            using var answer = await _http.Value.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, cancel);
            return new((int)answer.StatusCode, FormattableString.Invariant($"{address} answers {(int)answer.StatusCode}"));
        }
        catch (Exception failed) when (failed is HttpRequestException or TaskCanceledException && !cancel.IsCancellationRequested)
        {
            return new(0, $"{address} does not answer: {failed.Message}");
        }
    }

    /// <summary>Waits until it is well.</summary>
    /// <returns>Null when it is; else why it will not be, with its last lines.</returns>
    public async Task<Problem?> UntilWellAsync(AppRun run, CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        var limit = TimeSpan.FromSeconds(run.Spec.StartSeconds);
        long? elsewhereSince = null;
        while (true)
        {
            var answer = await AskAsync(run, cancel);
            if (answer.Ok)
                return null;
            var facts = await processes.LookAsync(run.Id, run.Number, cancel);
            if (facts.State == ProcessFacts.Failed || facts.Restarts >= 2)
                return AppErrors.Crashed.With($"{run.Tag} ({facts.Service}) ended {facts.Restarts} times.{await LastAsync(run, cancel)}");
            var elsewhere = answer.Status == 0 ? Elsewhere(run) : null;
            elsewhereSince = elsewhere is null ? null : elsewhereSince ?? time.GetTimestamp();
            var late = time.GetElapsedTime(began) > limit;
            if (elsewhere is not null && (late || time.GetElapsedTime(elsewhereSince!.Value) > ElsewhereFor))
                return AppErrors.WrongPort.With($"{run.Tag} listens on {elsewhere}, not on {new IPEndPoint(IPAddress.Parse(run.Host), run.Port)}.{await LastAsync(run, cancel)}");
            if (late)
                return AppErrors.NeverHealthy.With($"{run.Tag}: {answer.Said} after {Dure.Host.Texts.Quantities.Duration(limit)}.{await LastAsync(run, cancel)}");
            await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancel);
        }
    }

    public void Dispose()
    {
        if (_http.IsValueCreated)
            _http.Value.Dispose();
    }

    private static string? Elsewhere(AppRun run)
    {
        var listens = TcpSockets.ListenersOf(run);
        return listens.Count == 0 || listens.Any(at => at.Port == run.Port && (at.Address.Equals(IPAddress.Any) || at.Address.Equals(IPAddress.IPv6Any) || at.Address.ToString() == run.Host))
            ? null : string.Join(" and ", listens);
    }

    private async Task<string> LastAsync(AppRun run, CancellationToken cancel)
    {
        var lines = new List<string>();
        await foreach (var line in processes.LinesAsync(run.Id, run.Number, LastLines, follow: false, cancel))
            lines.Add("  " + line);
        return lines.Count == 0 ? " It wrote nothing." : " Its last lines:\n" + string.Join('\n', lines);
    }
}
