using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Dure.Test.Portal.Browser;

/// <summary>What a tab loaded, as it went over the wire.</summary>
internal sealed class Wire
{
    private readonly ConcurrentQueue<IRequest> _requests = new();

    public Wire(IPage page) => page.RequestFinished += (_, request) => _requests.Enqueue(request);

    /// <summary>Bytes of all answers that came whole, heads included, but for the code editor, which comes after the page that holds it.</summary>
    public async Task<long> BytesAsync() => (await SizesAsync()).Where(size => !IsEditor(size.Url)).Sum(size => size.Bytes);

    /// <summary>Bytes of the code editor; 0 where the page has none.</summary>
    public async Task<long> EditorBytesAsync() => (await SizesAsync()).Where(size => IsEditor(size.Url)).Sum(size => size.Bytes);

    /// <summary>The answers, the largest first.</summary>
    public async Task<string> ListAsync() => string.Join('\n', (await SizesAsync()).OrderByDescending(size => size.Bytes).Select(size => $"{size.Bytes,8}  {size.Url}"));

    private static bool IsEditor(string url) => url.Contains("/assets/codemirror-", StringComparison.Ordinal);

    private async Task<IReadOnlyList<(string Url, long Bytes)>> SizesAsync()
    {
        var sizes = new List<(string, long)>();
        foreach (var request in _requests)
        {
            var size = await request.SizesAsync();
            sizes.Add((request.Url, size.ResponseBodySize + size.ResponseHeadersSize));
        }
        return sizes;
    }
}
