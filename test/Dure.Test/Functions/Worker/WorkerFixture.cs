using Dure.Functions.Worker;
using Xunit;

namespace Dure.Test.Functions.Worker;

/// <summary>One worker for all tests of a class.</summary>
public sealed class WorkerFixture : IAsyncLifetime
{
    private int _slots;

    internal WorkerUnderTest Worker { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Worker = await WorkerUnderTest.StartAsync();

    public async ValueTask DisposeAsync() => await Worker.DisposeAsync();

    /// <summary>A slot name of its own.</summary>
    internal string Slot() => $"t{++_slots}";

    /// <summary>Runs a sandbox to its end.</summary>
    internal Task<Ending> RunAsync(SandboxSpec spec) => Worker.RunAsync(Slot(), spec);
}
