namespace Dure.Test.Functions.Runtimes;

public sealed class CppHeaderTest : HandlerContract
{
    private protected override async Task<FunctionProcess> StartAsync(params (string Name, string Value)[] environment) =>
        FunctionProcess.Start([await BuiltRuntimes.CppProgramAsync], "/", environment);
}
