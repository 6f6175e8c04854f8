using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using Dure.Edge;
using Dure.Host;

namespace Dure.Apps.Index;

/// <summary>Keeps the index as it should be, here and on the edge, and takes the pictures for it. No publish waits for it, and none fails because of it.</summary>
internal sealed partial class IndexKeeper(AppsContext context) : IDisposable
{
    private static readonly TimeSpan TryAgain = TimeSpan.FromMinutes(1);

    private readonly Channel<bool> _touched = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly SemaphoreSlim _one = new(1);
    private readonly ILogger _log = context.Host.Loggers.CreateLogger<IndexKeeper>();
    private string? _pushed;

    /// <summary>Why the edge does not show the present one; null when it does.</summary>
    public Problem? Unwell { get; private set; }

    /// <summary>Something may have changed.</summary>
    public void Touch()
    {
        // Also where the edge was changed by hand.
        _pushed = null;
        _touched.Writer.TryWrite(true);
    }

    /// <summary>Works until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        Touch();
        while (!cancel.IsCancellationRequested)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            // What failed is tried again; else there is nothing to do until something changes.
            if (Unwell is not null)
                patience.CancelAfter(TryAgain);
            try
            {
                await _touched.Reader.ReadAsync(patience.Token);
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                // Time to try again.
            }

            await UpdateAsync(cancel);
            if (await TakePicturesAsync(cancel))
                await UpdateAsync(cancel);
        }
    }

    /// <summary>Makes the page and shows it.</summary>
    public async Task UpdateAsync(CancellationToken cancel)
    {
        await _one.WaitAsync(cancel);
        try
        {
            var files = await MakeAsync(cancel);
            context.Door.Index = files;
            var digest = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(files.Page + files.Policy)));
            if (context.Edge is null || digest == _pushed)
                return;
            Unwell = await context.Edge.PutIndexAsync(files, cancel);
            if (Unwell is { } unwell)
                LogUnwell(unwell.Kind.Id, unwell.Detail);
            else
                _pushed = digest;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<IndexFiles> MakeAsync(CancellationToken cancel)
    {
        var prefix = context.Host.Options.Apps.Prefix;
        var (entries, pictures) = (new List<IndexEntry>(), new Dictionary<string, byte[]>(StringComparer.Ordinal));
        foreach (var (app, version) in await ListedAsync(cancel))
        {
            string? name = null;
            var picture = context.Folders.Picture(app.Id, version.Number);
            if (app.Machine == context.Machine && await ReadAsync(picture, cancel) is { Length: > 0 } bytes)
            {
                name = $"{app.Id}-{Convert.ToHexStringLower(SHA256.HashData(bytes))[..12]}.png";
                pictures[name] = bytes;
            }

            entries.Add(new(app.Id, $"{prefix}/{app.Id}/", version.Spec.About ?? AppAbout.Nothing, version.CreatedAt, name is null ? null : $"{prefix}/{IndexFiles.Folder}/{name}"));
        }

        return new(prefix, IndexPage.Of(entries), IndexPage.Policy, pictures);
    }

    private static async Task<byte[]?> ReadAsync(string picture, CancellationToken cancel)
    {
        try
        {
            return File.Exists(picture) ? await File.ReadAllBytesAsync(picture, cancel) : null;
        }
        catch (IOException)
        {
            // It was unpublished meanwhile.
            return null;
        }
    }

    /// <summary>Only what everybody may read is listed.</summary>
    private async Task<List<(App App, AppVersion Version)>> ListedAsync(CancellationToken cancel) =>
        [.. (await context.Store.AllAsync(null, cancel)).Where(app => !app.Removing).Select(app => (app, app.LiveVersion!)).Where(pair => pair.Item2 is { Spec.Visibility: Visibility.Public })];

    private async Task<bool> TakePicturesAsync(CancellationToken cancel)
    {
        var taken = false;
        foreach (var (app, version) in await ListedAsync(cancel))
        {
            var picture = context.Folders.Picture(app.Id, version.Number);
            // A picture is no visit that wakes anything.
            if (app.Machine != context.Machine || version.Port is null || version.AsleepSince is not null || File.Exists(picture) || !Directory.Exists(Path.GetDirectoryName(picture)))
                continue;
            byte[]? bytes;
            // A browser takes seconds to start: what falls asleep meanwhile would be woken by it.
            using (context.Door.Visits.Begin(app.Id))
                bytes = await Preview.TakeAsync(new Uri(context.Door.Address, context.RouteOf(version).Prefix), cancel);
            try
            {
                // An empty one says that none could be taken: not tried again until the next version.
                await File.WriteAllBytesAsync(picture + ".new", bytes ?? [], cancel);
                File.Move(picture + ".new", picture, overwrite: true);
                taken |= bytes is not null;
            }
            catch (IOException)
            {
                // It was unpublished meanwhile.
            }
        }

        return taken;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "the edge does not show the present index: {Id} {Detail}")]
    private partial void LogUnwell(string id, string detail);
}
