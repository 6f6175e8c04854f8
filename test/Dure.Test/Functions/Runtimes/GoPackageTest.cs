using Xunit;

namespace Dure.Test.Functions.Runtimes;

public sealed class GoPackageTest : HandlerContract
{
    private protected override async Task<FunctionProcess> StartAsync(params (string Name, string Value)[] environment) =>
        FunctionProcess.Start([await BuiltRuntimes.GoProgramAsync], "/", environment);

    [Fact]
    public async Task A_panic_is_an_error_with_its_stack()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        var error = (await server.CallAsync(1, new { @do = "panic" }, Cancel)).PayloadJson;
        Assert.Equal("panic", error.GetProperty("errorType").GetString());
        Assert.Contains("main.go", error.GetProperty("stackTrace").ToString(), StringComparison.Ordinal);
        Assert.Equal("1", (await server.CallAsync(2, new { @do = "echo", value = 1 }, Cancel)).Payload);
    }
}
