namespace Dure.Host;

/// <summary>
/// Keeps work on pool threads. In the server the completion of a socket operation runs what waited for it on the thread that all
/// sockets share (see <see cref="Begin"/>): right for a call, whose every hand-over to another thread costs more than its work, and
/// wrong for anything that may read a file or the database for long. That runs here: what follows its awaits goes on on the pool too.
/// </summary>
internal sealed class OnPool : TaskScheduler
{
    private const string Inline = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
    private static readonly OnPool Scheduler = new();

    /// <summary>Lets sockets complete on their own thread in this process; must come before its first socket. Its children know nothing of it.</summary>
    public static void Begin() => Environment.SetEnvironmentVariable(Inline, "1");

    /// <summary>Takes back what <see cref="Begin"/> set, for a child's environment.</summary>
    public static void Clean(IDictionary<string, string?> environment) => environment.Remove(Inline);

    /// <summary>Runs work, and all that follows, on pool threads.</summary>
    public static Task RunAsync(Func<Task> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, Scheduler).Unwrap();

    /// <summary>
    /// Runs what another's loop goes on with, such as the sender of a connection: within the work of this scheduler that loop would
    /// take the scheduler for its own, and be sent to the pool ever after.
    /// </summary>
    public static ValueTask<T> OutsideAsync<T>(Func<object?, ValueTask<T>> work, object? state)
    {
        if (Current is not OnPool)
            return work(state);
        var task = new Task<ValueTask<T>>(work, state);
        task.RunSynchronously(Default);
        return ResultOfAsync(task);
    }

    /// <summary>Awaited, goes on on the pool, and so does all that follows; at once where that is so already.</summary>
    public static Switch SwitchAsync() => default;

    protected override IEnumerable<Task> GetScheduledTasks() => [];

    protected override void QueueTask(Task task) =>
        ThreadPool.UnsafeQueueUserWorkItem(static work => work.Scheduler.TryExecuteTask(work.Task), (Scheduler: this, Task: task), preferLocal: true);

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        !taskWasPreviouslyQueued && Thread.CurrentThread.IsThreadPoolThread && TryExecuteTask(task);

    private static async ValueTask<T> ResultOfAsync<T>(Task<ValueTask<T>> task) => await (await task.ConfigureAwait(false)).ConfigureAwait(false);

    /// <summary>See <see cref="SwitchAsync"/>.</summary>
    internal readonly struct Switch : System.Runtime.CompilerServices.INotifyCompletion
    {
        public bool IsCompleted => Current is OnPool;

        public Switch GetAwaiter() => this;

        public void OnCompleted(Action continuation) =>
            _ = Task.Factory.StartNew(continuation, CancellationToken.None, TaskCreationOptions.DenyChildAttach, Scheduler);

        public void GetResult()
        {
        }
    }
}
