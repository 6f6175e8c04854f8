using Dure.Test.Host.Data;
using Dure.Test.Storage;
using Dure.Test.Storage.Replication;
using Xunit.MicrosoftTestingPlatform;

namespace Dure.Test.Processes;

/// <summary>Runs the tests, or with <c>child NAME ARGUMENT...</c> one of the processes that a test starts in order to kill it.</summary>
internal static class Entry
{
    private static readonly Dictionary<string, Func<string[], Task<int>>> Children = new(StringComparer.Ordinal)
    {
        ["write-blobs"] = BlobWriterProcess.WriteForEverAsync,
        ["fill-disk"] = BlobWriterProcess.FillDiskAsync,
        ["replicate"] = ReplicatingProcess.RunAsync,
        ["write-objects"] = Storage.Store.ObjectWriterProcess.WriteForEverAsync,
        ["fill-store"] = Storage.Store.ObjectWriterProcess.FillDiskAsync,
        ["write-rows"] = DatabaseWriterProcess.WriteForEverAsync,
        ["portal-pictures"] = Portal.Pictures.PortalPictures.RunAsync,
    };

    public static Task<int> Main(string[] args) => args is ["child", var name, .. var arguments]
        ? Children[name](arguments)
        : TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
}
