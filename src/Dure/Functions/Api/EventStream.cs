using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Dure.Functions.Api;

/// <summary>Server-sent events (WHATWG HTML, 9.2): each carries an id from which the stream can be resumed.</summary>
internal sealed class EventStream
{
    private readonly HttpContext _http;
    private long _lastSent;

    public EventStream(HttpContext http)
    {
        _http = http;
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers.CacheControl = "no-store";
        // nginx would hold the events back.
        http.Response.Headers["X-Accel-Buffering"] = "no";
    }

    /// <summary>The id of an event: a byte offset (or a time) and the last state told.</summary>
    public static string Cursor(long offset, string? mark) => string.Create(CultureInfo.InvariantCulture, $"{offset}~{mark}");

    /// <summary>Reads what <see cref="Cursor"/> wrote; anything else begins at the start.</summary>
    public static (long Offset, string? Mark) ReadCursor(string? text)
    {
        if (text is null)
            return default;
        var parts = text.Split('~', 2);
        return long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var offset) ? (offset, parts.Length > 1 && parts[1].Length > 0 ? parts[1] : null) : default;
    }

    /// <summary>Sends one event.</summary>
    public Task SendAsync<T>(string name, string id, T data, JsonTypeInfo<T> type) => SendTextAsync(name, id, JsonSerializer.Serialize(data, type));

    /// <summary>Sends one event with text that has no line ends.</summary>
    public async Task SendTextAsync(string name, string id, string data)
    {
        await _http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes($"id: {id}\nevent: {name}\ndata: {data}\n\n"), _http.RequestAborted);
        await _http.Response.Body.FlushAsync(_http.RequestAborted);
        _lastSent = Environment.TickCount64;
    }

    /// <summary>Sends a comment when nothing was sent for a while, so that neither side takes the other for dead.</summary>
    public async Task KeepAliveAsync(TimeSpan every, TimeProvider time)
    {
        if (Environment.TickCount64 - _lastSent < every.TotalMilliseconds)
            return;
        await _http.Response.Body.WriteAsync(": alive\n\n"u8.ToArray(), _http.RequestAborted);
        await _http.Response.Body.FlushAsync(_http.RequestAborted);
        _lastSent = Environment.TickCount64;
    }
}
