using Dure.Host;
using Xunit;

namespace Dure.Test.Tidy;

/// <summary>Each house rule is shown a bad snippet, and a good one beside it.</summary>
public sealed class RulesTest
{
    private static readonly ErrorKind Good = new("DURE0099", "It is full", 507, 8, "Empty it.");

    [Theory]
    [InlineData("src/Dure/Host/Long.cs")]
    [InlineData("runtimes/node/long.mjs")]
    [InlineData("runtimes/native/long.c")]
    [InlineData("bench/long.sh")]
    public void A_long_file_is_found(string path)
    {
        Assert.Single(LengthRules.Files([new(path, Repeat("x\n", 401)), new(path, Repeat("x\n", 400)), new("docs/long.md", Repeat("x\n", 999))]));
    }

    [Fact]
    public void A_long_script_without_a_suffix_is_found() =>
        Assert.Single(LengthRules.Files([new("dure", "#!/bin/sh\n" + Repeat("x\n", 400)), new("LICENSE", Repeat("x\n", 401))]));

    [Theory]
    [InlineData("void M()\n{\n", "}")]
    [InlineData("int P\n{\nget\n{\n", "}\n}")]
    [InlineData("void M() => Run(() =>\n{\n", "});")]
    [InlineData("C()\n{\n", "}")]
    public void A_long_method_is_found(string head, string tail)
    {
        Assert.NotEmpty(LengthRules.Methods([Class($"{head}{Repeat("x();\n", 70)}{tail}")]));
        Assert.Empty(LengthRules.Methods([Class($"{head}{Repeat("x();\n", 60)}{tail}")]));
    }

    [Fact]
    public void A_long_comment_before_a_method_does_not_count() =>
        Assert.Empty(LengthRules.Methods([Class($"{Repeat("/// line\n", 80)}void M()\n{{\n}}")]));

    [Fact]
    public void A_program_that_holds_more_than_verbs_is_found()
    {
        Assert.Single(LengthRules.Program(new("src/Dure/Program.cs", Repeat("x\n", 81))));
        Assert.Empty(LengthRules.Program(new("src/Dure/Program.cs", Repeat("x\n", 80))));
    }

    [Theory]
    [InlineData("class QueueManager;", true)]
    [InlineData("interface IBlobHelper;", true)]
    [InlineData("static class StringUtils;", true)]
    [InlineData("record struct ManagerOfQueues;", true)]
    [InlineData("enum Utilities { A }", true)]
    [InlineData("class Managerial;", false)]
    [InlineData("class HTTPQueue;", false)]
    public void A_name_that_says_nothing_is_found(string code, bool found) =>
        Assert.Equal(found, NameRules.Types([File("src/Dure/Host/X.cs", code)]).Any());

    [Fact]
    public void A_namespace_that_is_not_the_folder_is_found()
    {
        Assert.Single(NameRules.Namespaces([new("src/Dure/Host/Live/X.cs", "namespace Dure.Host;")]));
        Assert.Empty(NameRules.Namespaces([new("src/Dure/Host/Live/X.cs", "namespace Dure.Host.Live;"), new("src/Dure/Program.cs", "return 0;")]));
    }

    [Theory]
    [InlineData("[Fact] public void TestBlob() {}", true)]
    [InlineData("[Xunit.Theory] public void blob_is_kept() {}", true)]
    [InlineData("[Fact(Skip = \"x\")] public async Task Works_() {}", true)]
    [InlineData("[Fact] public void A_blob_is_kept() {}", false)]
    [InlineData("public void NoTest() {}", false)]
    public void A_test_that_is_no_sentence_is_found(string method, bool found) =>
        Assert.Equal(found, NameRules.Tests([Class(method)]).Any());

    [Theory]
    [InlineData("public class X;", true)]
    [InlineData("/// words without a summary\npublic record X;", true)]
    [InlineData("// no doc comment\n[Some] public enum X { A }", true)]
    [InlineData("public partial class X;", true)]
    [InlineData("/// <summary>A thing.</summary>\n[Some]\npublic interface X;", false)]
    [InlineData("internal class X;", false)]
    public void A_public_type_without_words_is_found(string code, bool found) =>
        Assert.Equal(found, NameRules.DocComments([File("src/Dure/Host/X.cs", code)]).Any());

    [Theory]
    [InlineData("// TO" + "DO: later", true)]
    [InlineData("# FIX" + "ME", true)]
    [InlineData("throw new NotImplemented" + "Exception();", true)]
    [InlineData("var toDo = 1; // AUTO" + "DOC", false)]
    public void What_is_left_for_later_is_found(string line, bool found) =>
        Assert.Equal(found, NameRules.NothingLeftUndone([new("x.py", line)]).Any());

    [Theory]
    [InlineData("Host", "using Dure.Storage;", true)]
    [InlineData("Host", "using Dure.Functions.Worker;", true)]
    [InlineData("Host", "using F = Dure.Functions.Spec;", true)]
    [InlineData("Host", "using static Dure.Functions.Spec;", true)]
    [InlineData("Host", "class X { Functions.Spec? spec; }", true)]
    [InlineData("Host", "class X { object o = global::Dure.Functions.Spec.Make(); }", true)]
    [InlineData("Host", "class X { object o = Functions.Spec.Make(); }", true)]
    [InlineData("Storage", "using Dure.Functions;", true)]
    [InlineData("Functions", "using Dure.Portal;", true)]
    [InlineData("Functions", "using Dure.Fleet;", true)]
    [InlineData("Novelty", "class X;", true)]
    [InlineData("Functions", "using Dure.Fleet.Model;", false)]
    [InlineData("Functions", "using Dure.Storage; using Dure.Host.Live; class X { Worker.Sandbox? box; }", false)]
    [InlineData("Storage", "using Dure.Host; class X { int n = Functions.Count; }", false)]
    public void A_slice_that_knows_too_much_is_found(string slice, string code, bool found)
    {
        var spec = new SourceFile("src/Dure/Functions/Spec.cs", "namespace Dure.Functions; class Spec;");
        var file = new SourceFile($"src/Dure/{slice}/X.cs", code);
        Assert.Equal(found, KnowledgeRules.Slices([spec, file]).Any());
    }

    [Theory]
    [InlineData("interface INew; class One : INew;", true)]
    [InlineData("interface INew; class One : Base, Dure.Host.INew; record Two(int N) : INew;", false)]
    [InlineData("interface IBlobs; class One : IBlobs;", false)]
    [InlineData("interface INew<T>; class One : INew<int>; struct Two : INew<string>;", false)]
    public void An_early_interface_is_found(string code, bool found) =>
        Assert.Equal(found, KnowledgeRules.Interfaces([File("src/Dure/Host/X.cs", code)]).Any());

    [Fact]
    public void A_faulty_kind_of_problem_is_found()
    {
        Assert.Empty(Kinds(["DURE0099.md", "README.md"], Good));
        Assert.Single(Kinds([], Good));
        Assert.Single(Kinds(["DURE0099.md", "DURE0098.md"], Good));
        Assert.Single(Kinds(["DURE0099.md"], Good, Good));
        Assert.Single(Kinds(["DURE99.md"], Good with { Id = "DURE99" }));
        Assert.Single(Kinds(["DURE0099.md"], Good with { Status = 200 }));
        Assert.Single(Kinds(["DURE0099.md"], Good with { ExitCode = 0 }));
        Assert.Single(Kinds(["DURE0099.md"], Good with { Title = "It is full." }));
        Assert.Single(Kinds(["DURE0099.md"], Good with { Remedy = "" }));
    }

    [Fact]
    public void A_word_of_this_machine_is_found()
    {
        Assert.Single(MachineRules.Mentions([new("docs/x.md", "one\nsee /srv/me/dure/docs\n")], ["/srv/me/dure"]));
        Assert.Equal(SourceTree.Root.Count(letter => letter == '/') > 1, MachineRules.WordsOfThisMachine().Contains(SourceTree.Root, StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("web/package-lock.json", "\"resolved\": \"https://registry.example.internal/a.tgz\"", true)]
    [InlineData("nuget.config", "<add value=\"http://user:secret@packages.example/v3\" />", true)]
    [InlineData("web/package-lock.json", "\"resolved\": \"https://registry." + "npmjs" + ".org/a.tgz\"", false)]
    [InlineData("web/package-lock.json", "\"url\": \"https://opencollective.com/express\"", false)]
    [InlineData("docs/x.md", "https://registry.example.internal/", false)]
    public void A_private_registry_in_a_lock_file_is_found(string path, string text, bool found) =>
        Assert.Equal(found, MachineRules.LockFiles([new(path, text)]).Any());

    private static IEnumerable<string> Kinds(string[] pages, params IEnumerable<ErrorKind> kinds) =>
        ErrorRules.Kinds([.. kinds.Select(kind => ("Errors.Field", kind))], pages);

    private static SourceFile Class(string members) => File("test/Dure.Test/X.cs", $"class C\n{{\n{members}\n}}");

    private static SourceFile File(string path, string code) => new(path, "namespace N;\n" + code);

    private static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));
}
