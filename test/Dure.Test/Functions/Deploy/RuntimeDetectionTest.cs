using Dure.Functions.Deploy;
using Dure.Host;
using Xunit;

namespace Dure.Test.Functions.Deploy;

public sealed class RuntimeDetectionTest
{
    [Theory]
    [InlineData("handler.py util.py", "", "python handler.handler handler.py")]
    [InlineData("lambda_function.py", "", "python lambda_function.lambda_handler lambda_function.py")]
    [InlineData("hello.py requirements.txt README.md", "", "python hello.handler hello.py")]
    [InlineData("index.js package.json lib/a.js", "", "node index.handler index.js")]
    [InlineData("index.ts index.mjs", "", "node index.handler index.mjs")]
    [InlineData("greet.ts", "", "node greet.handler greet.ts")]
    [InlineData("main.go go.mod other.go", "", "go .dure/program main.go")]
    [InlineData("tool.go", "", "go .dure/program tool.go")]
    [InlineData("main.cpp CMakeLists.txt", "", "cpp .dure/program CMakeLists.txt")]
    [InlineData("main.cc a.cc", "", "cpp .dure/program main.cc")]
    [InlineData("Fn.csproj Program.cs", "", "csharp .dure/program Fn.csproj")]
    [InlineData("bootstrap data.json", "", "bootstrap bootstrap bootstrap")]
    [InlineData("bootstrap main.go", "runtime: bootstrap", "bootstrap bootstrap bootstrap")]
    [InlineData("bootstrap main.go", "runtime: go", "go .dure/program main.go")]
    [InlineData("app.py util.py", "handler: app.main", "python app.main app.py")]
    [InlineData("pkg/jobs.py", "handler: pkg.jobs.run", "python pkg.jobs.run pkg/jobs.py")]
    [InlineData("pkg/jobs/__init__.py", "handler: pkg/jobs.run", "python pkg/jobs.run pkg/jobs/__init__.py")]
    [InlineData("src/app.mjs", "handler: src/app.go", "node src/app.go src/app.mjs")]
    [InlineData("bin/tool data.json", "handler: bin/tool", "bootstrap bin/tool bin/tool")]
    [InlineData("CMakeLists.txt src/a.cpp", "handler: server", "cpp .dure/server CMakeLists.txt")]
    [InlineData("Makefile src/a.rs", "runtime: bootstrap\nhandler: out/x\nbuild: make", "bootstrap out/x -")]
    [InlineData("Makefile src/a.go", "runtime: go\nbuild: make", "go .dure/program -")]
    public void A_folder_is_recognised_by_its_files(string files, string yaml, string expected)
    {
        var detected = Detect(files, yaml);
        Assert.True(detected.Ok, detected.Problem?.Detail);
        Assert.Equal(expected, $"{detected.Value.Runtime} {detected.Value.Handler} {detected.Value.EntryFile ?? "-"}");
    }

    [Theory]
    [InlineData("README.md", "", "DURE0105", "Looked at the top of the folder for python: handler.py")]
    [InlineData("lib/handler.py", "", "DURE0105", "no files there")]
    [InlineData("a.py b.py", "", "DURE0105", "such as `handler: a.handler`")]
    [InlineData("handler.py index.js", "", "DURE0106", "Found handler.py (python), index.js (node). Say which is meant with `runtime: python`")]
    [InlineData("index.js", "runtime: python", "DURE0107", "there is no handler.py")]
    [InlineData("app.py", "handler: app2.main", "DURE0107", "neither a program nor a Python or Node.js module")]
    [InlineData("app.py", "runtime: python\nhandler: ap.main", "DURE0107", "needs ap.py")]
    [InlineData("app.py", "runtime: python\nhandler: app", "DURE0107", "must be module.function")]
    [InlineData("bootstrap", "handler: other", "DURE0107", "points to nothing")]
    public void What_is_not_recognised_is_explained(string files, string yaml, string id, string part)
    {
        var problem = Detect(files, yaml).Problem!;
        Assert.Equal(id, problem.Kind.Id);
        Assert.Contains(part, problem.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("My Function.py", "my-function")]
    [InlineData("résumé_v2", "r-sum-v2")]
    [InlineData("UPPER", "upper")]
    public void A_name_is_made_of_the_files_name(string file, string expected)
    {
        var folder = Directory.CreateTempSubdirectory("dure-name-").FullName;
        var path = Path.Combine(folder, file);
        File.WriteAllText(path, "");
        Assert.Equal(expected, FunctionName.For(path, null).Value);
        File.Delete(path);
        Directory.CreateDirectory(path);
        File.WriteAllText(Path.Combine(path, "function.yaml"), "name: from-yaml\n");
        Assert.Equal("from-yaml", FunctionName.For(path + "/", null).Value);
        Assert.Equal("given", FunctionName.For(path, "given").Value);
        Assert.Equal(DeployErrors.NameInvalid, FunctionName.For(path, "Given_").Problem!.Kind);
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("a-1", true)]
    [InlineData("-a", false)]
    [InlineData("a-", false)]
    [InlineData("", false)]
    [InlineData("a\n", false)]
    [InlineData("a.b", false)]
    [InlineData("a/../b", false)]
    public void Names_are_checked(string name, bool fine) => Assert.Equal(fine, FunctionName.Check(name).Ok);

    [Fact]
    public void A_name_may_have_63_characters_and_no_more()
    {
        Assert.True(FunctionName.Check(new string('a', 63)).Ok);
        Assert.False(FunctionName.Check(new string('a', 64)).Ok);
    }

    private static Outcome<DetectedRuntime> Detect(string files, string yaml) =>
        RuntimeDetection.Detect([.. files.Split(' ').Select(f => new SourceEntry(f, SourceKind.File, false, 0, ""))], FunctionYaml.Parse(yaml).Value);
}
