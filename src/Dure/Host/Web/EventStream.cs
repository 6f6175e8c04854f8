using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Dure.Host.Web;

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
    public Task SendAsync<T>(string name, string id, T data, JsonTypeInfo<T> type)
    {
        Write(name, id, data, type);
        return FlushAsync();
    }

    /// <summary>Sends one event without data.</summary>
    public Task SendAsync(string name, string id)
    {
        Encoding.UTF8.GetBytes($"id: {id}\nevent: {name}\ndata: {{}}\n\n", _http.Response.BodyWriter);
        return FlushAsync();
    }

    /// <summary>Writes one event, to be sent with the next <see cref="FlushAsync()"/>.</summary>
    public void Write<T>(string name, string id, T data, JsonTypeInfo<T> type)
    {
        var writer = _http.Response.BodyWriter;
        Encoding.UTF8.GetBytes($"id: {id}\nevent: {name}\ndata: ", writer);
        using (var json = new Utf8JsonWriter(writer))
            JsonSerializer.Serialize(json, data, type);
        writer.Write("\n\n"u8);
    }

    /// <summary>Writes one event whose data is JSON already.</summary>
    /// <param name="id">Null leaves the id of the event before.</param>
    public void Write(string name, string? id, ReadOnlySpan<byte> json)
    {
        var writer = _http.Response.BodyWriter;
        Encoding.UTF8.GetBytes(id is null ? $"event: {name}\ndata: " : $"id: {id}\nevent: {name}\ndata: ", writer);
        writer.Write(json);
        writer.Write("\n\n"u8);
    }

    /// <summary>Sends what was written.</summary>
    /// <exception cref="OperationCanceledException">Given up while the reader took nothing.</exception>
    public async Task FlushAsync(CancellationToken cancel)
    {
        _lastSent = Environment.TickCount64;
        await OnPool.OutsideAsync(static x =>
        {
            var (http, cancel) = ((HttpContext, CancellationToken))x!;
            return http.Response.BodyWriter.FlushAsync(cancel);
        }, (_http, cancel)).ConfigureAwait(false);
    }

    /// <summary>Sends what was written.</summary>
    public async Task FlushAsync()
    {
        _lastSent = Environment.TickCount64;
        await OnPool.OutsideAsync(static http => ((HttpContext)http!).Response.BodyWriter.FlushAsync(((HttpContext)http).RequestAborted), _http).ConfigureAwait(false);
    }

    /// <summary>Sends a comment when nothing was sent for a while, so that neither side takes the other for dead.</summary>
    public async Task KeepAliveAsync(TimeSpan every, TimeProvider time)
    {
        if (Environment.TickCount64 - _lastSent < every.TotalMilliseconds)
            return;
        _http.Response.BodyWriter.Write(": alive\n\n"u8);
        await FlushAsync();
    }
}
