using System.Text.Json;
using Xunit;

namespace Dure.Test.Functions.Runtimes;

/// <summary>What a forked sandbox can and cannot do. Each question is a Python expression that the function evaluates.</summary>
public sealed class ZygoteTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static async Task<string> AskAsync(FunctionConnection function, string python, uint attempt = 1)
    {
        var answer = await function.CallAsync((ulong)Environment.TickCount64 * 1000 + (ulong)Random.Shared.Next(1000), new { python }, Cancel, attempt);
        return answer.PayloadJson.ValueKind == JsonValueKind.String ? answer.PayloadJson.GetString()! : answer.Payload;
    }

    [Fact]
    public async Task A_fork_becomes_a_function()
    {
        await using var zygote = await ZygoteProcess.StartAsync();
        using var function = await zygote.ForkAsync("s1");
        Assert.Equal("given f v", await AskAsync(function, "os.environ['SETTING'] + ' ' + context.function_name + ' ' + context.function_version"));
        Assert.Equal("[\"handler.py\"]", await AskAsync(function, "os.listdir('/code')"));
    }

    [Fact]
    public async Task A_fork_sees_only_itself()
    {
        await using var zygote = await ZygoteProcess.StartAsync();
        using var first = await zygote.ForkAsync("s1");
        using var second = await zygote.ForkAsync("s2");
        Assert.Equal("[1,2]", await AskAsync(second, "sorted(int(name) for name in os.listdir('/proc') if name.isdigit())"));
        Assert.Equal("2", await AskAsync(second, "os.getpid()"));
        Assert.Equal("[]", await AskAsync(second, "os.listdir('/dure/slots')"));
        Assert.Equal("[\"fn.sock\",\"raw.err\",\"raw.out\"]", await AskAsync(second, "sorted(os.listdir('/dure/io'))"));
        Assert.Equal("[]", await AskAsync(second, "os.listdir('/dure/in')"));
        Assert.Equal("[[1,\"lo\"]]", await AskAsync(second, "socket.if_nameindex()"));
        Assert.Equal("[]", await AskAsync(second, "[f for f in os.listdir('/proc/self/fd') if 'zygote' in os.path.realpath('/proc/self/fd/' + f)]"));
    }

    [Fact]
    public async Task A_fork_cannot_look_into_process_1_or_end_anything_but_itself()
    {
        await using var zygote = await ZygoteProcess.StartAsync();
        using var first = await zygote.ForkAsync("s1");
        using var second = await zygote.ForkAsync("s2");
        foreach (var path in new[] { "open('/proc/1/mem')", "open('/proc/1/environ').read()", "os.listdir('/proc/1/root/')", "os.readlink('/proc/1/ns/mnt')", "os.listdir('/proc/1/cwd/')" })
            Assert.StartsWith("PermissionError", await AskAsync(first, path), StringComparison.Ordinal);
        Assert.Equal("null", await AskAsync(first, "os.kill(1, 9)")); // a namespace's first process ignores it
        Assert.StartsWith("ProcessLookupError", await AskAsync(first, "os.kill(-1, 9)"), StringComparison.Ordinal); // nobody else is there
        Assert.StartsWith("ProcessLookupError", await AskAsync(first, "os.kill(999, 9)"), StringComparison.Ordinal);
        Assert.Equal("2", await AskAsync(second, "os.getpid()"));
        Assert.Equal("[1,2]", await AskAsync(first, "sorted(int(name) for name in os.listdir('/proc') if name.isdigit())"));
    }

    [Fact]
    public async Task A_fork_has_no_network_and_its_own_sockets()
    {
        await using var zygote = await ZygoteProcess.StartAsync();
        using var first = await zygote.ForkAsync("s1");
        using var second = await zygote.ForkAsync("s2");
        Assert.Contains("unreachable", await AskAsync(first, "socket.create_connection(('192.0.2.1', 80), 1)"), StringComparison.Ordinal);
        Assert.Equal("4", await AskAsync(first, "globals().update(s=socket.create_server(('127.0.0.1', 7001)), u=socket.socket(socket.AF_UNIX)) or u.bind('\\0abstract') or u.listen() or socket.create_connection(('127.0.0.1', 7001)).send(b'mine')"));
        Assert.StartsWith("ConnectionRefusedError", await AskAsync(second, "socket.create_connection(('127.0.0.1', 7001))"), StringComparison.Ordinal);
        Assert.StartsWith("ConnectionRefusedError", await AskAsync(second, "socket.socket(socket.AF_UNIX).connect('\\0abstract')"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fork_writes_only_to_its_own_bounded_folders()
    {
        await using var zygote = await ZygoteProcess.StartAsync();
        using var first = await zygote.ForkAsync("s1");
        using var second = await zygote.ForkAsync("s2");
        foreach (var path in new[] { "/code/x", "/dure/in/x", "/dure/slots/x", "/dure/rt/x", "/dev/x", "/x", "/usr/x", "/proc/sys/kernel/hostname" })
            Assert.Matches("Read-only|Permission denied", await AskAsync(first, $"write('{path}', 'x')"));
        foreach (var path in new[] { "/tmp/x", "/dev/shm/x" })
        {
            Assert.Equal("1", await AskAsync(first, $"write('{path}', 'x')"));
            Assert.Contains("No space left", await AskAsync(first, $"write('{path}', 'x' * (2 << 20))"), StringComparison.Ordinal);
            Assert.StartsWith("FileNotFoundError", await AskAsync(second, $"read('{path}')"), StringComparison.Ordinal);
        }

        Assert.Equal("1", await AskAsync(first, "write('/dure/io/x', 'x')"));
        Assert.Equal("[\"0\",\"ptmx\"]", await AskAsync(first, "pty()"));
        Assert.Equal("[\"0\",\"ptmx\"]", await AskAsync(second, "pty()"));
    }

    [Fact]
    public async Task A_fork_has_no_privileges_and_gets_none()
    {
        await using var zygote = await ZygoteProcess.StartAsync();
        using var function = await zygote.ForkAsync("s1");
        Assert.Equal("[\"0000000000000000\"]", await AskAsync(function, "sorted(set(lines('/proc/self/status', 'Cap')))"));
        Assert.Equal("[\"1\",\"2\"]", await AskAsync(function, "lines('/proc/self/status', 'NoNewPrivs:', 'Seccomp:')"));
        Assert.NotEqual("0", await AskAsync(function, "os.getuid()"));
        Assert.Equal("-1", await AskAsync(function, "ctypes.CDLL(None).unshare(0x10000000)"));
        Assert.Equal("-1", await AskAsync(function, "ctypes.CDLL(None).umount2(b'/dure/slots', 2)"));
        Assert.Equal("[0,0]", await AskAsync(function, "resource.getrlimit(resource.RLIMIT_CORE)"));
        Assert.Equal("[256,256]", await AskAsync(function, "resource.getrlimit(resource.RLIMIT_NOFILE)"));
    }

    [Fact]
    public async Task What_a_fork_writes_to_its_descriptors_comes_out_of_its_pipes()
    {
        await using var zygote = await ZygoteProcess.StartAsync();
        using var function = await zygote.ForkAsync("s1");
        await AskAsync(function, "os.write(1, b'raw out')");
        await AskAsync(function, "subprocess.run(['sh', '-c', 'printf raw-err >&2']).returncode");
        Assert.Equal("raw out", await zygote.RawAsync("s1", "raw.out"));
        Assert.Equal("raw-err", await zygote.RawAsync("s1", "raw.err"));
    }

    [Theory]
    [InlineData("os._exit(7)", 7, 0)]
    [InlineData("os.kill(os.getpid(), 9)", 0, 9)]
    [InlineData("os.abort()", 0, 6)]
    public async Task The_end_of_a_fork_is_told_and_takes_everything_in_it_along(string python, int code, int signal)
    {
        await using var zygote = await ZygoteProcess.StartAsync();
        using var function = await zygote.ForkAsync("s1");
        Assert.Equal("3", await AskAsync(function, "leave_daemon()"));
        await function.InvokeAsync(9, new { python }, Cancel);
        var told = await zygote.HearAsync();
        Assert.Equal(("s1", code, signal), (told.GetProperty("exited").GetString(), told.GetProperty("code").GetInt32(), told.GetProperty("signal").GetInt32()));
        Assert.Null(await function.ReceiveOrEndAsync(Cancel));
        using var next = await zygote.ForkAsync("s2");
        Assert.Equal("2", await AskAsync(next, "os.getpid()"));
    }

    [Fact]
    public async Task The_end_of_the_zygote_is_the_end_of_its_forks()
    {
        await using var zygote = await ZygoteProcess.StartAsync();
        using var first = await zygote.ForkAsync("s1");
        using var second = await zygote.ForkAsync("s2");
        await zygote.KillZygoteAsync();
        Assert.Null(await first.ReceiveOrEndAsync(Cancel));
        Assert.Null(await second.ReceiveOrEndAsync(Cancel));
        await zygote.ExitAsync();
    }

    [Fact]
    public async Task A_fork_that_fails_is_told_and_the_zygote_goes_on()
    {
        await using var zygote = await ZygoteProcess.StartAsync("--preload", "no_such_module,statistics");
        foreach (var (slot, words) in new[] { ("absent", "cannot show"), ("../s1", "slot"), ("..", "slot") })
        {
            await zygote.SayAsync($$"""{"fork":"{{slot}}"}""");
            var told = await zygote.HearAsync();
            Assert.Equal(slot, told.GetProperty("failed").GetString());
            Assert.Contains(words, told.GetProperty("detail").GetString(), StringComparison.Ordinal);
            if (slot == "absent")
                Assert.Equal("absent", (await zygote.HearAsync()).GetProperty("exited").GetString());
        }

        await zygote.SayAsync("not json");
        Assert.Equal(JsonValueKind.Null, (await zygote.HearAsync()).GetProperty("failed").ValueKind);
        using var function = await zygote.ForkAsync("s1", patient: true);
        Assert.Equal("true", await AskAsync(function, "'statistics' in sys.modules"));
    }

    [Fact]
    public async Task Who_waits_for_a_fork_gets_it_before_everything_is_imported()
    {
        await using var zygote = await ZygoteProcess.StartAsync("--preload", "sqlite3,ssl,http.server,xml.dom.minidom,unittest.mock,email.mime.text,concurrent.futures,multiprocessing,tkinter,pydoc");
        await zygote.MakeSlotAsync("later");
        await zygote.SayAsync("""{"fork":"later","patient":true}""");
        using var function = await zygote.ForkAsync("s1");
        Assert.Equal("later", (await zygote.HearAsync()).GetProperty("forked").GetString());
        Assert.Equal("false", await AskAsync(function, "'pydoc' in sys.modules"));
    }

    [Fact]
    public async Task Forks_do_not_draw_the_same_random_numbers()
    {
        await using var zygote = await ZygoteProcess.StartAsync();
        using var first = await zygote.ForkAsync("s1");
        using var second = await zygote.ForkAsync("s2");
        Assert.NotEqual(await AskAsync(first, "__import__('random').random()"), await AskAsync(second, "__import__('random').random()"));
        Assert.NotEqual(await AskAsync(first, "str(__import__('uuid').uuid4())"), await AskAsync(second, "str(__import__('uuid').uuid4())"));
    }

    [Fact]
    public async Task Many_forks_in_a_row_all_work()
    {
        await using var zygote = await ZygoteProcess.StartAsync();
        for (var i = 0; i < 20; i++)
        {
            using var function = await zygote.ForkAsync("s" + i);
            Assert.Equal("2", await AskAsync(function, "os.getpid()"));
        }
    }
}
