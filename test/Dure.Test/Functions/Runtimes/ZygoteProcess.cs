using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Dure.Test.Functions.Runtimes;

/// <summary>A zygote in its sandbox, and the worker's end of its socket.</summary>
internal sealed class ZygoteProcess : IAsyncDisposable
{
    private readonly string _folder;
    private readonly Process _process;
    private readonly Socket _socket;
    private readonly StreamReader _reader;
    private readonly List<FileStream> _pipes = [];

    private ZygoteProcess(string folder, Process process, Socket socket)
    {
        (_folder, _process, _socket) = (folder, process, socket);
        _reader = new StreamReader(new NetworkStream(socket));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<ZygoteProcess> StartAsync(params string[] arguments)
    {
        var folder = Directory.CreateTempSubdirectory("dure-zygote-").FullName;
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        Directory.CreateDirectory(folder + "/io");
        Directory.CreateDirectory(folder + "/slots");
        await Bubblewrap.GiveAsync(folder);
        var command = await Bubblewrap.CommandAsync(
        [
            "--bind", folder + "/io", "/dure/io", "--bind", folder + "/slots", "/dure/slots",
            "/dure/rt/dure-init", "--mode", "zygote", "--", "/usr/bin/python3", "-I", "-S", "-X", "utf8", "/dure/rt/python/zygote.py", .. arguments,
        ]);
        var process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardError = true })!;
        while (!File.Exists(folder + "/io/zygote.sock"))
        {
            if (process.HasExited)
                Assert.Skip("this machine allows no nested user namespaces: " + await process.StandardError.ReadToEndAsync(Cancel));
            await Task.Delay(5, Cancel);
        }

        process.BeginErrorReadLine();
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(folder + "/io/zygote.sock"), Cancel);
        return new ZygoteProcess(folder, process, socket);
    }

    /// <summary>Makes a slot's folders, pipes and code as the worker would.</summary>
    public async Task<string> MakeSlotAsync(string slot, string? code = null)
    {
        var folder = _folder + "/slots/" + slot;
        foreach (var part in new[] { "code", "io", "in" })
            Directory.CreateDirectory(folder + "/" + part);
        if (code is null)
            File.Copy(BuiltRuntimes.Code("zygote", "handler.py"), folder + "/code/handler.py");
        else
            await File.WriteAllTextAsync(folder + "/code/handler.py", code, Cancel);
        await BuiltRuntimes.RunAsync("mkfifo", [folder + "/io/raw.out", folder + "/io/raw.err"]);
        await Bubblewrap.GiveAsync(folder);
        foreach (var pipe in new[] { "raw.out", "raw.err" })
            _pipes.Add(new FileStream(folder + "/io/" + pipe, FileMode.Open, FileAccess.ReadWrite)); // both, so that opening does not wait
        return folder;
    }

    public async Task SayAsync(string line) => await _socket.SendAsync(Encoding.UTF8.GetBytes(line + "\n"), SocketFlags.None, Cancel);

    public async Task<JsonElement> HearAsync() => JsonSerializer.Deserialize<JsonElement>(await _reader.ReadLineAsync(Cancel) ?? throw new EndOfStreamException("the zygote ended"));

    /// <summary>Forks a function; gives a connection to it that has assigned the handler.</summary>
    /// <param name="patient">Waits until everything is imported.</param>
    public async Task<FunctionConnection> ForkAsync(string slot, bool patient = false)
    {
        var folder = await MakeSlotAsync(slot);
        await SayAsync($$"""{"fork":"{{slot}}","tmpBytes":1048576,"openFiles":256,"patient":{{(patient ? "true" : "false")}}}""");
        var told = await HearAsync();
        Assert.True(told.TryGetProperty("forked", out var forked) && forked.GetString() == slot, told.ToString());
        var connection = await FunctionConnection.OpenAsync(folder + "/io/fn.sock", Cancel);
        Assert.Equal("generic", (await connection.HelloAsync(Cancel)).Json.GetProperty("state").GetString());
        await connection.SendAsync(Kind.Assign, """{"handler":"handler.handler","env":{"SETTING":"given"},"function":"f","version":"v"}""", Cancel);
        Assert.Equal("ready", (await connection.ReceiveAsync(Cancel)).Json.GetProperty("state").GetString());
        return connection;
    }

    /// <summary>Reads what is in a raw pipe of a slot.</summary>
    public async Task<string> RawAsync(string slot, string pipe)
    {
        var buffer = new byte[4096];
        var stream = _pipes.Single(open => open.Name.EndsWith($"/{slot}/io/{pipe}", StringComparison.Ordinal));
        return Encoding.UTF8.GetString(buffer, 0, await stream.ReadAsync(buffer, Cancel));
    }

    /// <summary>Kills the zygote itself, not its sandbox's first process.</summary>
    public async Task KillZygoteAsync()
    {
        var pid = _process.Id;
        for (var depth = 0; depth < 8; depth++)
        {
            if ((await File.ReadAllTextAsync($"/proc/{pid}/cmdline", Cancel)).StartsWith("/usr/bin/python3", StringComparison.Ordinal))
                break;
            pid = int.Parse((await File.ReadAllTextAsync($"/proc/{pid}/task/{pid}/children", Cancel)).Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
        }

        Process.GetProcessById(pid).Kill();
    }

    public async Task ExitAsync() => await _process.WaitForExitAsync(Cancel);

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _reader.Dispose();
        _socket.Dispose();
        foreach (var pipe in _pipes)
            await pipe.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
