using System.Diagnostics;

namespace Dure.Host.Data;

/// <summary>How long to go on trying what fails for a passing reason. The waits are jittered, so that two who clash part.</summary>
/// <param name="longest">Trying and waiting together.</param>
internal sealed class Patience(TimeSpan longest)
{
    private static readonly TimeSpan ClashWaitMax = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LossWait = TimeSpan.FromMilliseconds(250);

    private readonly long _since = Stopwatch.GetTimestamp();
    private TimeSpan _clashWait = TimeSpan.FromMilliseconds(2);

    /// <summary>Waits before the next try.</summary>
    /// <param name="lost">The server went away: it needs longer to come back than two transactions need to part.</param>
    /// <returns>False when the patience has run out.</returns>
    public async ValueTask<bool> WaitAsync(bool lost)
    {
        if (Stopwatch.GetElapsedTime(_since) > longest)
        {
            return false;
        }
        await Task.Delay((lost ? LossWait : _clashWait) * (0.5 + Random.Shared.NextDouble()));
        _clashWait = _clashWait * 2 < ClashWaitMax ? _clashWait * 2 : ClashWaitMax;
        return true;
    }
}
