using Dure.Functions.Deploy;
using Xunit;

namespace Dure.Test.Functions.Deploy;

public sealed class CompilerOutputTest
{
    [Theory]
    [InlineData("/code/src/a.cpp:12:5: error: 'x' was not declared", "src/a.cpp:12:5", "'x' was not declared")]
    [InlineData("main.cpp:1:10: fatal error: nothing.h: No such file or directory", "main.cpp:1:10", "nothing.h: No such file or directory")]
    [InlineData("./main.go:3:15: undefined: x", "main.go:3:15", "undefined: x")]
    [InlineData("main.go:4:2: package example.com/x is not in GOROOT", "main.go:4:2", "package example.com/x is not in GOROOT")]
    [InlineData("Program.cs(1,15): error CS0103: The name 'x' does not exist [/build/source/program.csproj]", "Program.cs:1:15", "CS0103: The name 'x' does not exist")]
    [InlineData("index.ts:1:30: error: ')' expected.", "index.ts:1:30", "')' expected.")]
    public void Every_compilers_errors_are_found(string line, string where, string what)
    {
        var problem = CompilerOutput.Problem(["noise", line, line, "1 error"], "X", new BuildExit(1, "exit", null));
        Assert.Equal((where, what), (problem.Faults[0].Where, problem.Faults[0].What));
        Assert.Single(problem.Faults);
    }

    [Fact]
    public void The_place_of_esbuilds_errors_is_on_a_line_of_its_own()
    {
        var problem = CompilerOutput.Problem(["✘ [ERROR] Unexpected \"=\"", "", "    ../code/index.ts:1:16:", "      1 │ export const x: = 1"], "TypeScript", new BuildExit(1, "exit", null));
        Assert.Equal(("code/index.ts:1:16", "Unexpected \"=\""), (problem.Faults[0].Where.TrimStart('.', '/'), problem.Faults[0].What));
    }

    [Theory]
    [InlineData("main.cpp:3:1: warning: unused variable")]
    [InlineData("main.cpp:3:1: note: declared here")]
    [InlineData("main.cpp: In function 'int main()':")]
    [InlineData("/usr/include/stdio.h:27:10:   required from here")]
    [InlineData("at 10:23:45 something")]
    public void What_is_no_error_is_not_taken_for_one(string line) =>
        Assert.Empty(CompilerOutput.Problem([line], "X", new BuildExit(1, "exit", null)).Faults);

    [Fact]
    public void A_compiler_that_says_nothing_is_quoted_by_its_exit_code() =>
        Assert.Contains("exit code is 137 (killed)", CompilerOutput.Problem([], "C++", new BuildExit(137, "signal", "killed")).Detail, StringComparison.Ordinal);
}
