using System.Collections.Concurrent;
using Dure.Host;
using Dure.Host.Operations;
using Dure.Storage;

namespace Dure.Functions.Deploy;

/// <summary>Builds versions again whose code is not on this disk, from the source that was kept: after a backup was restored.</summary>
internal sealed partial class VersionRebuild(FunctionCatalog catalog, DeployBuild build, IBlobs blobs, ILogger<VersionRebuild> logger)
{
    private readonly ConcurrentDictionary<long, byte> _there = new();

    /// <summary>Builds what the live versions lack, so that their first call does not wait for it.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        foreach (var function in catalog.All.Where(f => f.Live is not null).ToList())
            await EnsureAsync(function.Live!, cancel);
    }

    /// <summary>Sees to it that a version can be started.</summary>
    /// <returns>Null, or why it cannot.</returns>
    public async ValueTask<Problem?> EnsureAsync(FunctionVersion version, CancellationToken cancel)
    {
        if (_there.ContainsKey(version.Id))
            return null;
        var built = version.Built;
        if (!Directory.Exists(built.CodeDirectory) || built.DepsDirectory is { } deps && !Directory.Exists(deps))
        {
            LogRebuild(version.FunctionName, version.Number);
            if (await RebuildAsync(version, cancel) is { } problem)
            {
                LogFailed(version.FunctionName, version.Number, problem.Detail);
                return problem;
            }
        }
        _there[version.Id] = 0;
        return null;
    }

    private async Task<Problem?> RebuildAsync(FunctionVersion version, CancellationToken cancel)
    {
        await using var source = await blobs.OpenAsync(version.Built.SourceBlob, cancel);
        if (source is null)
            return OperationErrors.SourceLost.With($"Version {version.Number} of {version.FunctionName} ({version.Digest[..12]}).");
        var again = await build.RunAsync(version.FunctionName, source, version.Built.SourceBlob, static _ => default, cancel);
        if (!again.Ok)
            return again.Problem;
        return again.Value.Digest == version.Digest && again.Value.DepsDirectory == version.Built.DepsDirectory ? null
            : OperationErrors.BuiltOtherwise.With($"Version {version.Number} of {version.FunctionName} became {again.Value.Digest[..12]} instead of {version.Digest[..12]}.");
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The code of {Function} version {Number} is not on this disk: it is built again")]
    private partial void LogRebuild(string function, int number);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Function} version {Number} could not be built again: {Why}")]
    private partial void LogFailed(string function, int number, string why);
}
