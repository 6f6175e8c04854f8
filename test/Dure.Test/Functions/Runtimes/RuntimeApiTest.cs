using System.Diagnostics;
using Xunit;

namespace Dure.Test.Functions.Runtimes;

public sealed class RuntimeApiTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_worker_answers_on_a_port_of_the_sandboxs_own_network()
    {
        var io = Directory.CreateTempSubdirectory("dure-api-").FullName;
        await Bubblewrap.GiveAsync(io);
        var python = BuiltRuntimes.Need("python3");
        using var worker = Process.Start(new ProcessStartInfo(python, [BuiltRuntimes.Code("api", "worker.py"), io]) { RedirectStandardOutput = true })!;
        Assert.Equal("ready", await worker.StandardOutput.ReadLineAsync(Cancel));
        await Bubblewrap.GiveAsync(io);
        const string Ask = """
            import os, urllib.request
            print(os.environ["AWS_LAMBDA_RUNTIME_API"], urllib.request.urlopen("http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/next").read().decode())
            """;
        var command = await Bubblewrap.CommandAsync("--bind", io, "/dure/io", "/dure/rt/dure-init", "--mode", "runtime-api", "--", "/usr/bin/python3", "-I", "-c", Ask);
        var output = await BuiltRuntimes.RunAsync(command[0], command.Skip(1));
        Assert.Equal("127.0.0.1:9001 you asked: GET /next HTTP/1.1", output.Trim());
        await worker.WaitForExitAsync(Cancel);
        Directory.Delete(io, recursive: true);
    }
}
