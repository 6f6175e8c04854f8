using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Dure.Fleet.Drill.Clients;

/// <summary>As much of Redis's protocol (RESP2) as a drill needs: words out; a text, a number, nothing, or a list of them back.</summary>
internal sealed class RespConnection : IAsyncDisposable
{
    private readonly NetworkStream _stream;
    private readonly BufferedStream _buffered;

    private RespConnection(NetworkStream stream) => (_stream, _buffered) = (stream, new BufferedStream(stream));

    /// <summary>Connects and gives the password.</summary>
    /// <exception cref="SocketException">Nothing listens.</exception>
    /// <exception cref="InvalidDataException">It refused, and why.</exception>
    public static async Task<RespConnection> OpenAsync(IPEndPoint at, string password, CancellationToken cancel)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(at, cancel);
            var connection = new RespConnection(new NetworkStream(socket, ownsSocket: true));
            await connection.RunAsync(cancel, "AUTH", password);
            return connection;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends a command and reads its answer: one text, or the texts of a list; null where Redis says nothing.</summary>
    /// <exception cref="InvalidDataException">Redis answered with an error.</exception>
    public async Task<IReadOnlyList<string?>> RunAsync(CancellationToken cancel, params IReadOnlyList<string> words)
    {
        var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"*{words.Count}\r\n"));
        foreach (var word in words)
            text.Append(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        await _stream.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), cancel);
        return await AnswerAsync(cancel);
    }

    public ValueTask DisposeAsync() => _buffered.DisposeAsync();

    private async Task<IReadOnlyList<string?>> AnswerAsync(CancellationToken cancel)
    {
        var line = await LineAsync(cancel);
        switch (line[0])
        {
            case '+' or ':':
                return [line[1..]];
            case '-':
                throw new InvalidDataException(line[1..]);
            case '$':
                var length = int.Parse(line.AsSpan(1), CultureInfo.InvariantCulture);
                if (length < 0)
                    return [null];
                var bytes = new byte[length + 2];
                await _buffered.ReadExactlyAsync(bytes, cancel);
                return [Encoding.UTF8.GetString(bytes, 0, length)];
            case '*':
                var all = new List<string?>();
                for (var count = int.Parse(line.AsSpan(1), CultureInfo.InvariantCulture); count > 0; count--)
                    all.AddRange(await AnswerAsync(cancel));
                return all;
            default:
                throw new InvalidDataException($"This is not Redis: {line}");
        }
    }

    private async Task<string> LineAsync(CancellationToken cancel)
    {
        var line = new List<byte>();
        var one = new byte[1];
        while (line.Count < 2 || line[^2] != '\r' || line[^1] != '\n')
        {
            await _buffered.ReadExactlyAsync(one, cancel);
            line.Add(one[0]);
            if (line.Count > 64 << 10)
                throw new InvalidDataException("A line without an end.");
        }

        return line.Count > 2 ? Encoding.UTF8.GetString([.. line], 0, line.Count - 2) : throw new InvalidDataException("An empty line.");
    }
}
