using System.Diagnostics;
using Xunit;

namespace Dure.Test.Functions.Runtimes;

/// <summary>A shim started without a sandbox: its folders are in a temporary one.</summary>
internal sealed class FunctionProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;

    private FunctionProcess(string folder, Process process)
    {
        (Folder, _process) = (folder, process);
        _errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        RawOutput = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
    }

    /// <summary>A folder of this process alone; <c>io</c> in it is its io folder.</summary>
    public string Folder { get; }

    public string Socket => Path.Combine(Folder, "io", "fn.sock");

    public int Id => _process.Id;

    /// <summary>What was written to descriptor 1, once the process has ended.</summary>
    public Task<string> RawOutput { get; }

    /// <summary>What was written to descriptor 2, once the process has ended.</summary>
    public Task<string> RawErrors => _errors;

    public static FunctionProcess Start(IReadOnlyList<string> command, string code, params (string Name, string Value)[] environment)
    {
        var folder = Directory.CreateTempSubdirectory("dure-fn-").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "io"));
        var start = new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment.Clear();
        foreach (var (name, value) in ((string, string)[])[("PATH", "/usr/local/bin:/usr/bin:/bin"), ("LANG", "C.UTF-8"), ("DURE_IO", folder + "/io"), ("DURE_CODE", code), ("DURE_DEPS", folder + "/deps"), ("DURE_FUNCTION", "contract"), ("DURE_VERSION", "v1"), .. environment])
            start.Environment[name] = value;
        return new FunctionProcess(folder, Process.Start(start)!);
    }

    /// <summary>Connects as soon as the socket is there.</summary>
    public async Task<FunctionConnection> OpenAsync(CancellationToken cancel)
    {
        while (!File.Exists(Socket))
        {
            Assert.False(_process.HasExited, $"the function ended with {(_process.HasExited ? _process.ExitCode : 0)} before it listened");
            await Task.Delay(2, cancel);
        }

        return await FunctionConnection.OpenAsync(Socket, cancel);
    }

    /// <summary>Connects and says HELLO; the answer must be READY.</summary>
    public async Task<FunctionConnection> ConnectAsync(CancellationToken cancel)
    {
        var connection = await OpenAsync(cancel);
        var ready = await connection.HelloAsync(cancel);
        Assert.True(ready.Kind == Kind.Ready, ready.ToString());
        return connection;
    }

    public string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>Makes the file that a handler waits for.</summary>
    public void Touch(string name) => File.WriteAllBytes(PathOf(name), []);

    public async Task TermAsync() => await BuiltRuntimes.RunAsync("/bin/kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);

    public async Task<int> ExitAsync(CancellationToken cancel)
    {
        await _process.WaitForExitAsync(cancel);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
