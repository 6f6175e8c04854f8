using Dure.Host.Terminal;
using Spectre.Console;

namespace Dure.Storage.Commands;

/// <summary>Shows on a terminal how much of everything was moved, how quickly, and for how long it goes on.</summary>
internal sealed class TransferProgress
{
    private readonly ProgressTask? _task;
    private readonly int _files;
    private int _done;

    private TransferProgress(ProgressTask? task, int files) => (_task, _files) = (task, files);

    /// <summary>Runs the work; without a terminal nothing is drawn.</summary>
    /// <param name="bytes">Of all; null when unknown.</param>
    public static async Task<T> RunAsync<T>(Screen screen, string name, int files, long? bytes, Func<TransferProgress, Task<T>> work)
    {
        if (!screen.Chatty)
        {
            return await work(new(null, files));
        }

        return await screen.Talk.Progress().AutoClear(enabled: true).HideCompleted(enabled: false)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn { Width = 24 }, new PercentageColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(async drawn =>
            {
                var task = drawn.AddTask(Markup.Escape(files == 1 ? name : $"0 of {files} files"), autoStart: true, maxValue: Math.Max(bytes ?? 1, 1));
                task.IsIndeterminate = bytes is null;
                return await work(new(task, files));
            });
    }

    public void Moved(long bytes) => _task?.Increment(bytes);

    /// <summary>A file is done, or has failed.</summary>
    public void FileDone()
    {
        var done = Interlocked.Increment(ref _done);
        if (_task is not null && _files > 1)
        {
            _task.Description = $"{done} of {_files} files";
        }
    }
}
