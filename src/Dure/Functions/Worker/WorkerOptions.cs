namespace Dure.Functions.Worker;

/// <summary>Settings of one worker process.</summary>
/// <param name="DataDirectory">The data folder of the installation.</param>
/// <param name="Id">Name of the worker: 1 to 32 of <c>a-z 0-9 _ -</c>.</param>
public sealed record WorkerOptions(string DataDirectory, string Id)
{
    /// <summary>The worker's control socket.</summary>
    public string SocketPath => $"{DataDirectory}/run/w/{Id}.sock";

    /// <summary>User and group that sandboxes run as when the worker is root; otherwise they run as the worker's own user.</summary>
    public int SandboxUid { get; init; } = 61870;

    /// <summary>The worker ends when it had neither a server nor a sandbox for this long.</summary>
    public TimeSpan IdleExit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A sandbox whose <c>fn.sock</c> has not appeared by then has failed to start.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Processes that wait, privileges dropped and control groups joined, to become a sandbox: 0 to 64.</summary>
    public int Parked { get; init; } = 2;

    /// <summary>Pools of pre-started processes to fill at once, before a server asks.</summary>
    public IReadOnlyList<KeepPool> Keep { get; init; } = [];

    /// <summary>Where GPU device nodes are.</summary>
    public string DeviceDirectory { get; init; } = "/dev";

    /// <summary>Folder of the shims (source or built); null looks beside the executable and above it.</summary>
    public string? RuntimesSource { get; init; }

    /// <summary>What its threads go back to, and sandboxes get, once it has started; null leaves it as it is.</summary>
    public int? Niceness { get; init; }

    /// <summary>Waits, ready to go on, until the worker that runs is gone, or no server wants it any more, which ends this process.</summary>
    public bool Standby { get; init; }

    /// <summary>False leaves control groups alone: limits that need them are not enforced.</summary>
    public bool ControlGroups { get; init; } = true;

    /// <summary>Clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
