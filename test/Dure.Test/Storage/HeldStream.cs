namespace Dure.Test.Storage;

/// <summary>A stream that gives its text only when it is let go.</summary>
internal sealed class HeldStream : MemoryStream
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public HeldStream() : base("held back"u8.ToArray())
    {
    }

    /// <summary>Completes when somebody reads.</summary>
    public Task Reached => _reached.Task;

    public void LetGo() => _go.SetResult();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _reached.TrySetResult();
        await _go.Task;
        return await base.ReadAsync(buffer, cancellationToken);
    }
}
