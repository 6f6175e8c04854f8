using System.Runtime.InteropServices;

namespace Dure.Host;

/// <summary>Gives back to the machine what a start or a busy hour has left on the heap, once nothing happens: the runtime by itself keeps it until there is work again.</summary>
internal static partial class IdleMemory
{
    private const long Quiet = 256 << 10;
    private const long Worthwhile = 2 << 20;
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(2);

    /// <summary>Looks every two seconds, until it is cancelled. Collects only where next to nothing was allocated since the last look, so that no call waits for it, and much since the last collection: a quarter of a large heap, which takes long.</summary>
    public static async Task RunAsync(TimeProvider time, CancellationToken cancel)
    {
        var (collected, before) = (0L, 0L);
        while (true)
        {
            await Task.Delay(Look, time, cancel);
            var allocated = GC.GetTotalAllocatedBytes();
            if (allocated - before < Quiet && allocated - collected > Math.Max(Worthwhile, GC.GetTotalMemory(forceFullCollection: false) / 4))
            {
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                TrimNative();
                collected = allocated;
            }

            before = allocated;
        }
    }

    private static void TrimNative()
    {
        try
        {
            _ = Trim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // Only glibc has it.
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nint pad);
}
