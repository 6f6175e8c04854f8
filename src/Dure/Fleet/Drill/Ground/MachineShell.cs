using Dure.Host.Ssh;
using Dure.Host;

namespace Dure.Fleet.Drill.Ground;

/// <summary>What a script on a machine ended with.</summary>
internal sealed record Said(int ExitCode, IReadOnlyList<string> Lines)
{
    public string Text => string.Join('\n', Lines);
}

/// <summary>Root's shell on a machine that may go away at any time: the session is opened when it is needed and opened again when it broke. One script at a time.</summary>
internal sealed class MachineShell(SshTarget target) : IAsyncDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private SshSession? _session;

    /// <summary>Runs a script.</summary>
    /// <returns>What it said; DURE0804 or DURE0805 when the machine did not answer within the limit.</returns>
    public async Task<Outcome<Said>> RunAsync(string script, TimeSpan limit, CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel);
        try
        {
            var again = _session is not null;
            var ran = await OnceAsync(script, limit, cancel);
            // A session that lay idle while its machine rebooted breaks at the first word.
            return !ran.Ok && again && ran.Problem.Kind == SshErrors.SessionLost ? await OnceAsync(script, limit, cancel) : ran;
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _turn.Dispose();
    }

    private async Task<Outcome<Said>> OnceAsync(string script, TimeSpan limit, CancellationToken cancel)
    {
        if (_session is null)
        {
            var opened = SshSession.Open(target);
            if (!opened.Ok)
                return opened.Problem;
            _session = opened.Value;
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(limit);
        var lines = new List<string>();
        try
        {
            var ran = await _session.RunAsync(script, lines.Add, patience.Token);
            if (ran.Ok)
                return new Said(ran.Value, lines);
            await CloseAsync();
            return ran.Problem;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            await CloseAsync();
            return SshErrors.Unreachable.With($"{target.Machine}: no answer within {limit.TotalSeconds:0.#} s (by hand: {target.ByHand})");
        }
        catch (OperationCanceledException)
        {
            await CloseAsync();
            throw;
        }
    }

    private async Task CloseAsync()
    {
        if (_session is { } open)
        {
            _session = null;
            await open.EndAsync();
        }
    }
}
