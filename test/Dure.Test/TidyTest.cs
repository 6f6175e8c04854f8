using System.Reflection;
using Dure.Host;
using Dure.Test.Tidy;
using Xunit;

namespace Dure.Test;

/// <summary>The house rules, checked over the whole tree. <c>Tidy/RulesTest.cs</c> shows that each can fail.</summary>
public sealed class TidyTest
{
    private static readonly IReadOnlyList<SourceFile> Product = [.. SourceTree.CSharp("src/Dure/")];

    [Fact]
    public void No_file_is_longer_than_400_lines() => Clean(LengthRules.Files(SourceTree.Files));

    [Fact]
    public void No_method_is_longer_than_70_lines() => Clean(LengthRules.Methods(SourceTree.CSharp()));

    [Fact]
    public void The_program_holds_the_verbs_and_nothing_else() =>
        Clean(LengthRules.Program(Product.Single(file => file.Path == "src/Dure/Program.cs")));

    [Fact]
    public void No_type_is_called_by_a_word_that_says_nothing() => Clean(NameRules.Types(SourceTree.CSharp()));

    [Fact]
    public void Every_namespace_is_the_folder_of_its_file() => Clean(NameRules.Namespaces(SourceTree.CSharp("src/").Concat(SourceTree.CSharp("test/"))));

    [Fact]
    public void Every_test_reads_as_a_sentence() => Clean(NameRules.Tests(SourceTree.CSharp("test/")));

    [Fact]
    public void Every_public_type_says_what_it_is() => Clean(NameRules.DocComments(Product));

    [Fact]
    public void Nothing_is_left_for_later() => Clean(NameRules.NothingLeftUndone(SourceTree.Files));

    [Fact]
    public void No_slice_knows_what_it_should_not() => Clean(KnowledgeRules.Slices(Product));

    [Fact]
    public void No_interface_waits_for_its_second_implementation() => Clean(KnowledgeRules.Interfaces(Product));

    [Fact]
    public void Every_kind_of_problem_has_an_id_of_its_own_and_a_page()
    {
        var kinds = typeof(ErrorKind).Assembly.GetTypes()
            .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Where(field => field.FieldType == typeof(ErrorKind))
            .Select(field => ($"{field.DeclaringType!.Name}.{field.Name}", (ErrorKind)field.GetValue(null)!))
            .ToList();
        Assert.NotEmpty(kinds);
        var folder = Path.Combine(SourceTree.Root, "docs", "errors");
        string[] pages = Directory.Exists(folder) ? [.. Directory.GetFiles(folder).Select(page => Path.GetFileName(page))] : [];
        Clean(ErrorRules.Kinds(kinds, pages));
    }

    [Fact]
    public void The_repository_knows_nothing_of_the_machine_it_was_written_on() =>
        Clean(MachineRules.Mentions(SourceTree.Files, MachineRules.WordsOfThisMachine()));

    [Fact]
    public void Lock_files_name_public_registries_only() => Clean(MachineRules.LockFiles(SourceTree.Files));

    private static void Clean(IEnumerable<string> faults)
    {
        var found = faults.Distinct(StringComparer.Ordinal).ToList();
        Assert.True(found.Count == 0, $"{found.Count} faults:\n{string.Join('\n', found)}");
    }
}
