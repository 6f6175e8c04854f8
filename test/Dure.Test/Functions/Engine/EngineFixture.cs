using Dure.Test.Host.Commands;
using Xunit;

namespace Dure.Test.Functions.Engine;

/// <summary>One server for all engine tests, which run one after the other; functions are deployed when a test first wants them.</summary>
public class EngineFixture : IAsyncLifetime
{
    private readonly HashSet<string> _deployed = new(StringComparer.Ordinal);

    internal RunningServer Server { get; private set; } = null!;

    internal EngineClient Client { get; private set; } = null!;

    /// <summary>The program that runs; null for the one beside the tests.</summary>
    protected virtual Task<string?> ProgramAsync() => Task.FromResult<string?>(null);

    public async ValueTask InitializeAsync()
    {
        Server = await RunningServer.StartAsync(["functions.max_deaths=3", "lease.duration=2s", "log.level=debug", "functions.payload_limit=8MiB", "logs.limit_per_attempt=1MiB"],
            CancellationToken.None, program: await ProgramAsync());
        Client = new EngineClient(Server, TimeProvider.System);
    }

    /// <summary>Deploys once a function of <see cref="Lab"/> with these lines of function.yaml.</summary>
    internal async Task<string> FunctionAsync(string name, string yaml, CancellationToken cancel)
    {
        if (_deployed.Contains(name))
            return name;
        await (name.StartsWith("node", StringComparison.Ordinal)
            ? Client.DeployAsync(name, cancel, ("handler.mjs", Lab.Node), ("function.yaml", yaml))
            : Client.DeployAsync(name, cancel, ("handler.py", Lab.Python), ("function.yaml", yaml)));
        _deployed.Add(name);
        return name;
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}

[CollectionDefinition("engine")]
public sealed class EngineCollection : ICollectionFixture<EngineFixture>;

/// <summary>A server of the release, for tests of time: what users run is compiled ahead.</summary>
public sealed class ReleaseEngineFixture(ReleaseFixture release) : EngineFixture
{
    protected override async Task<string?> ProgramAsync() => await release.ProgramAsync();
}

/// <summary>Tests whose times say nothing while others run.</summary>
[CollectionDefinition("alone", DisableParallelization = true)]
public sealed class AloneCollection : ICollectionFixture<ReleaseEngineFixture>;

/// <summary>An engine test that shares its server with the others.</summary>
[Collection("engine")]
public abstract class EngineTest(EngineFixture engine) : EngineClientTest(engine);

/// <summary>What every engine test has at hand.</summary>
public abstract class EngineClientTest(EngineFixture engine)
{
    /// <summary>The event with which the lab's function hangs in its first attempt.</summary>
    protected const string FirstHangs = """{"do":"first-hangs"}""";

    internal RunningServer Server => engine.Server;

    internal EngineClient Client => engine.Client;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A plain function of the lab.</summary>
    protected Task<string> LabAsync() => engine.FunctionAsync("lab", "memory: 256MiB\n", Cancel);

    /// <summary>A function of the lab with its own function.yaml.</summary>
    protected Task<string> FunctionAsync(string name, string yaml) => engine.FunctionAsync(name, yaml, Cancel);

    protected static double NowSeconds => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
}
