using Dure.Host;

namespace Dure.Apps.Running;

/// <summary>One version that is to run.</summary>
/// <param name="Folder">Of the version: holds <c>src</c> and <c>run</c>.</param>
/// <param name="StateFolder">What the app keeps, where systemd does not look after it.</param>
/// <param name="Host">Address that it listens on.</param>
/// <param name="BasePath">Without a slash at its end.</param>
public sealed record AppRun(string Id, int Number, AppSpec Spec, string Folder, string StateFolder, string Host, int Port, string BasePath)
{
    public string Tag => TagOf(Id, Number);

    /// <summary>Names a version of an app: <c>attention@3</c>.</summary>
    public static string TagOf(string id, int number) => FormattableString.Invariant($"{id}@{number}");

    /// <summary>What it finds in its environment, beside the variables of its own.</summary>
    public IEnumerable<(string Name, string Value)> Environment() =>
    [
        .. Spec.Variables.Select(pair => (pair.Key, pair.Value)),
        ("HOST", Host),
        ("PORT", FormattableString.Invariant($"{Port}")),
        ("BASE_PATH", Spec.KeepsPrefix ? BasePath : ""),
        ("DURE_APP", Tag),
        ("DURE_PROGRAM", System.Environment.ProcessPath ?? "dure"),
        ("PYTHONUNBUFFERED", "1"),
        .. Spec.Gpus == "all" ? Array.Empty<(string, string)>() : [("CUDA_VISIBLE_DEVICES", Spec.Gpus == "none" ? "" : Spec.Gpus)],
    ];
}

/// <summary>How a version's process stands.</summary>
/// <param name="State">running, restarting, failed or absent.</param>
/// <param name="Restarts">Since it was started by a person or at boot.</param>
public sealed record ProcessFacts(string Service, string State, int? Pid, int Restarts, DateTimeOffset? Since)
{
    public const string Running = "running";
    public const string Restarting = "restarting";
    public const string Failed = "failed";
    public const string Absent = "absent";
}

/// <summary>Starts, watches and ends the processes of apps: services of systemd, or children of this server.</summary>
internal interface IAppProcesses : IAsyncDisposable
{
    /// <summary>Starts a version, also at every boot from now on; one that runs already stays.</summary>
    Task<Problem?> StartAsync(AppRun run, CancellationToken cancel);

    Task<Problem?> RestartAsync(AppRun run, CancellationToken cancel);

    /// <summary>Ends a version; it can be started again, and is not at boot.</summary>
    Task StopAsync(string id, int number);

    /// <summary>Ends a version and forgets it.</summary>
    Task RemoveAsync(string id, int number);

    /// <summary>Removes what the app has kept outside its folder.</summary>
    Task RemoveStateAsync(string id);

    Task<ProcessFacts> LookAsync(string id, int number, CancellationToken cancel);

    /// <summary>The last lines that it wrote, and with <paramref name="follow"/> those to come.</summary>
    IAsyncEnumerable<string> LinesAsync(string id, int number, int last, bool follow, CancellationToken cancel);

    /// <summary>Ends what no version needs, such as what an earlier server left.</summary>
    Task SweepAsync(IReadOnlySet<string> needed);
}
