using Dure.Host;

namespace Dure.Storage.Replication;

/// <summary>Tells how something long goes, line by line.</summary>
internal sealed class StorageLines(Func<StorageLine, ValueTask> write)
{
    private const int FaultsMost = 1000;
    private int _faults;

    /// <summary>How it goes.</summary>
    public ValueTask SayAsync(string progress) => write(new StorageLine(Progress: progress));

    /// <summary>One thing that is wrong. After a thousand they are counted only.</summary>
    public ValueTask FaultAsync(string fault) => ++_faults > FaultsMost ? default : write(new StorageLine(Fault: fault));

    /// <summary>How it ended.</summary>
    public ValueTask EndAsync(StorageLine line) => write(line);

    /// <summary>Why it ended early.</summary>
    public ValueTask EndAsync(Problem problem) => write(new StorageLine(Problem: Host.Web.ProblemView.Of(problem)));
}
