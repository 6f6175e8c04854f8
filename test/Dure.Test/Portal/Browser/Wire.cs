using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Dure.Test.Portal.Browser;

/// <summary>What a tab loaded, as it went over the wire.</summary>
internal sealed class Wire
{
    private readonly ConcurrentQueue<IRequest> _requests = new();

    public Wire(IPage page) => page.RequestFinished += (_, request) => _requests.Enqueue(request);

    /// <summary>Bytes of all answers that came whole, heads included.</summary>
    public async Task<long> BytesAsync() => (await SizesAsync()).Sum(size => size.Bytes);

    /// <summary>The answers, the largest first.</summary>
    public async Task<string> ListAsync() => string.Join('\n', (await SizesAsync()).OrderByDescending(size => size.Bytes).Select(size => $"{size.Bytes,8}  {size.Url}"));

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
