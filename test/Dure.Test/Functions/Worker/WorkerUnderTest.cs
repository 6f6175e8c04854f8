using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Dure.Functions.Worker;
using Dure.Test.Processes;

namespace Dure.Test.Functions.Worker;

/// <summary>A real worker process in a folder of its own, and the server's end of its control socket.</summary>
internal sealed class WorkerUnderTest : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly Lazy<Task<string>> Runtimes = new(BuildRuntimesAsync);
    private readonly Scratch _scratch;
    private readonly string[] _options;
    private readonly StringBuilder _errors = new();
    private Process _process;
    private Socket? _socket;
    private byte[] _buffer = new byte[1 << 20];
    private int _used;

    private WorkerUnderTest(Scratch scratch, string[] options, Process process) => (_scratch, _options, _process) = (scratch, options, process);

    /// <summary>The data folder.</summary>
    public string Data => _scratch.Path;

    public int Pid => _process.Id;

    /// <summary>What the worker said about itself.</summary>
    public WorkerHello Hello { get; private set; } = null!;

    /// <summary>Starts a worker and connects.</summary>
    public static async Task<WorkerUnderTest> StartAsync(params string[] options)
    {
        var scratch = new Scratch();
        File.SetUnixFileMode(scratch.Path, (UnixFileMode)0x1ED);
        var worker = new WorkerUnderTest(scratch, options, null!);
        await worker.LaunchAsync();
        await worker.ConnectAsync();
        return worker;
    }

    /// <summary>Starts a worker process on the same data.</summary>
    public async Task LaunchAsync() => _process = Start([.. await CommandAsync(Data), .. _options], _errors);

    /// <summary>The words that start a worker.</summary>
    public static async Task<string[]> CommandAsync(string data) =>
        [ProgramUnderTest.Path, "worker", "--data", data, "--id", "w1", "--runtimes", await Runtimes.Value];

    /// <summary>Connects as a (new) server and hears the greeting.</summary>
    public async Task ConnectAsync()
    {
        _used = 0;
        var waited = Stopwatch.StartNew();
        for (_socket = null; _socket is null;)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Data + "/run/w/w1.sock"));
                _socket = socket;
            }
            catch (SocketException) when (waited.Elapsed < Patience && !_process.HasExited)
            {
                socket.Dispose();
                await Task.Delay(10);
            }
        }

        await SendAsync(new ServerHello(1, "test"));
        Hello = (WorkerHello)await NextAsync(m => m is WorkerHello);
    }

    /// <summary>Goes away as a server that crashes does.</summary>
    public void Disconnect() => _socket?.Dispose();

    public async Task SendAsync(ToWorker message) =>
        await _socket!.SendAsync(WorkerWire.Line(message));

    /// <summary>The next message that fits; others are dropped.</summary>
    public async Task<FromWorker> NextAsync(Func<FromWorker, bool> fits)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            for (var end = Line(); end >= 0; end = Line())
            {
                var message = WorkerWire.ReadFromWorker(Encoding.UTF8.GetString(_buffer, 0, end));
                _buffer.AsSpan(end + 1, _used - end - 1).CopyTo(_buffer);
                _used -= end + 1;
                if (fits(message)) return message;
            }

            if (_used == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
            var count = await _socket!.ReceiveAsync(_buffer.AsMemory(_used), patience.Token);
            if (count == 0) throw new EndOfStreamException($"The worker went away: {_errors}");
            _used += count;
        }
    }

    /// <summary>Starts a sandbox and waits until it has started, or not.</summary>
    public async Task<FromWorker> StartSandboxAsync(string slot, SandboxSpec spec)
    {
        await SendAsync(new StartSandbox(slot, spec));
        return await NextAsync(m => m is SandboxStarted s && s.Slot == slot || m is SandboxStartFailed f && f.Slot == slot);
    }

    /// <summary>Waits for a sandbox's end and gathers what it says until then.</summary>
    public async Task<Ending> EndAsync(string slot)
    {
        var text = new StringBuilder();
        var lines = 0;
        while (true)
        {
            switch (await NextAsync(_ => true))
            {
                case SandboxLog log when log.Slot == slot:
                    text.Append(log.Text).Append('\n');
                    lines += log.Text.Count(c => c == '\n') + 1;
                    break;
                case SandboxExited exited when exited.Slot == slot:
                    return new Ending(exited, null, text.ToString(), lines);
                case SandboxStartFailed failed when failed.Slot == slot:
                    return new Ending(null, failed, text.ToString(), lines);
            }
        }
    }

    /// <summary>Starts a sandbox and waits for its end.</summary>
    public async Task<Ending> RunAsync(string slot, SandboxSpec spec)
    {
        await SendAsync(new StartSandbox(slot, spec));
        return await EndAsync(slot);
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Waits for the worker's own end.</summary>
    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        Disconnect();
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
        await LeftGroups.RemoveAsync(Data);
        await SlotFolder.RemoveAsync(Data, CancellationToken.None);
    }

    private static Process Start(string[] words, StringBuilder errors)
    {
        var process = Process.Start(new ProcessStartInfo(words[0], words.Skip(1)) { UseShellExecute = false, RedirectStandardError = true })!;
        process.ErrorDataReceived += (_, line) => errors.AppendLine(line.Data);
        process.BeginErrorReadLine();
        return process;
    }

    private static async Task<string> BuildRuntimesAsync()
    {
        var folder = Directory.CreateTempSubdirectory("dure-test-runtimes-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        var built = await RuntimesFolder.PrepareAsync(folder, null, CancellationToken.None);
        return built.Value;
    }

    private int Line() => _buffer.AsSpan(0, _used).IndexOf((byte)'\n');
}

/// <summary>How a sandbox ended and what it said.</summary>
internal sealed record Ending(SandboxExited? Exited, SandboxStartFailed? Failed, string Text, int Lines)
{
    public SandboxExited Exit => Exited ?? throw new InvalidOperationException($"It did not start: {Failed!.Error} {Failed.Detail}");
}
