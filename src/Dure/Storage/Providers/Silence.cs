namespace Dure.Storage.Providers;

/// <summary>Ends a call once the provider has been silent for too long; bytes that go or come begin the time anew, so a slow transfer is not cut.</summary>
internal sealed class Silence : IDisposable
{
    private readonly TimeSpan _limit;
    private readonly CancellationTokenSource _quiet;
    private readonly CancellationTokenRegistration _link;

    public Silence(TimeSpan limit, TimeProvider time, CancellationToken cancel)
    {
        _limit = limit;
        _quiet = new CancellationTokenSource(limit, time);
        _link = cancel.UnsafeRegister(static quiet => ((CancellationTokenSource)quiet!).Cancel(), _quiet);
    }

    /// <summary>Cancelled when the time is over, and with the caller's token.</summary>
    public CancellationToken Token => _quiet.Token;

    /// <summary>Something was heard.</summary>
    public void Touch()
    {
        if (!_quiet.IsCancellationRequested)
        {
            _quiet.CancelAfter(_limit);
        }
    }

    public void Dispose()
    {
        _link.Dispose();
        _quiet.Dispose();
    }
}
