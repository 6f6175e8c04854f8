using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Dure.Fleet.Drill.Clients;

/// <summary>
/// As much of MariaDB's protocol as a drill needs: sign in with a password (mysql_native_password), run a statement, read a column. Packets are a length of three bytes, a number,
/// and the body (mariadb.com/kb/en/clientserver-protocol).
/// </summary>
internal sealed class MariaConnection : IAsyncDisposable
{
    // CLIENT_LONG_PASSWORD, CONNECT_WITH_DB, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH.
    private const uint Capabilities = 0x1 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000;
    private const byte Utf8 = 45;
    private const byte Query = 3;
    private const int BodyMax = 16 << 20;

    private readonly NetworkStream _stream;
    private byte _sequence;

    private MariaConnection(NetworkStream stream) => _stream = stream;

    /// <exception cref="SocketException">Nothing listens.</exception>
    /// <exception cref="IOException">The server went away.</exception>
    /// <exception cref="InvalidDataException">It refused, and why.</exception>
    public static async Task<MariaConnection> OpenAsync(IPEndPoint at, string user, string password, string database, CancellationToken cancel)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(at, cancel);
            var connection = new MariaConnection(new NetworkStream(socket, ownsSocket: true));
            await connection.SignInAsync(user, password, database, cancel);
            return connection;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Runs a statement and gives the first column of its rows; none when it has no rows.</summary>
    public async Task<IReadOnlyList<string>> RunAsync(string sql, CancellationToken cancel)
    {
        _sequence = 0;
        await WriteAsync([Query, .. Encoding.UTF8.GetBytes(sql)], cancel);
        var first = await ReadAsync(cancel);
        if (first[0] == 0)
            return [];
        for (long columns = Length(first, out _); columns > 0; columns--)
            await ReadAsync(cancel);
        await ReadAsync(cancel);
        var rows = new List<string>();
        while (await ReadAsync(cancel) is var row && !(row[0] == 0xfe && row.Length < 9))
        {
            var length = (int)Length(row, out var at);
            rows.Add(Encoding.UTF8.GetString(row, at, length));
        }

        return rows;
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    /// <summary>SHA1(password) XOR SHA1(salt + SHA1(SHA1(password))): what the server asks for, so the hash is not ours to choose.</summary>
    [SuppressMessage("Security", "CA5350", Justification = "mysql_native_password is defined with SHA-1.")]
    internal static byte[] Answer(string password, ReadOnlySpan<byte> salt)
    {
        if (password.Length == 0)
            return [];
        var once = SHA1.HashData(Encoding.UTF8.GetBytes(password));
        var answer = SHA1.HashData([.. salt, .. SHA1.HashData(once)]);
        for (var i = 0; i < answer.Length; i++)
            answer[i] ^= once[i];
        return answer;
    }

    private async Task SignInAsync(string user, string password, string database, CancellationToken cancel)
    {
        var hello = await ReadAsync(cancel);
        // Version 10, the server's name, a thread, 8 bytes of salt, a zero; after capabilities and status, the rest of the salt.
        var name = Array.IndexOf(hello, (byte)0, 1);
        var salt = hello.AsSpan(name + 5, 8).ToArray().Concat(hello.AsSpan(name + 5 + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 10, 12).ToArray()).ToArray();
        var head = new byte[32];
        BinaryPrimitives.WriteUInt32LittleEndian(head, Capabilities);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(4), BodyMax);
        head[8] = Utf8;
        var answer = Answer(password, salt);
        await WriteAsync([.. head, .. Word(user), (byte)answer.Length, .. answer, .. Word(database), .. Word("mysql_native_password")], cancel);
        var said = await ReadAsync(cancel);
        if (said[0] == 0xfe)
        {
            // Another plugin was meant for a moment: the salt comes anew after the plugin's name.
            var plugin = Array.IndexOf(said, (byte)0, 1);
            await WriteAsync(Answer(password, said.AsSpan(plugin + 1, 20)), cancel);
            await ReadAsync(cancel);
        }
    }

    private static byte[] Word(string text) => [.. Encoding.UTF8.GetBytes(text), 0];

    private static long Length(byte[] body, out int after)
    {
        switch (body[0])
        {
            case 0xfc:
                after = 3;
                return BinaryPrimitives.ReadUInt16LittleEndian(body.AsSpan(1));
            case 0xfd:
                after = 4;
                return body[1] | (body[2] << 8) | (body[3] << 16);
            case 0xfe:
                after = 9;
                return BinaryPrimitives.ReadInt64LittleEndian(body.AsSpan(1));
            default:
                after = 1;
                return body[0] == 0xfb ? 0 : body[0];
        }
    }

    private async Task WriteAsync(byte[] body, CancellationToken cancel) =>
        await _stream.WriteAsync((byte[])[(byte)body.Length, (byte)(body.Length >> 8), (byte)(body.Length >> 16), _sequence++, .. body], cancel);

    private async Task<byte[]> ReadAsync(CancellationToken cancel)
    {
        var head = new byte[4];
        await _stream.ReadExactlyAsync(head, cancel);
        var length = head[0] | (head[1] << 8) | (head[2] << 16);
        if (length is 0 or > BodyMax)
            throw new InvalidDataException($"A packet of {length} bytes.");
        var body = new byte[length];
        await _stream.ReadExactlyAsync(body, cancel);
        _sequence = (byte)(head[3] + 1);
        if (body[0] != 0xff)
            return body;
        var text = Encoding.UTF8.GetString(body, 3, body.Length - 3);
        throw new InvalidDataException(text.StartsWith('#') ? text[6..] : text);
    }
}
