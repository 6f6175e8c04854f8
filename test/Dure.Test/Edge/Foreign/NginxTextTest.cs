using Dure.Edge.Foreign;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Edge.Foreign;

/// <summary>Other people's nginx configuration is read as nginx reads it, and loses exactly the blocks that are taken.</summary>
public sealed class NginxTextTest
{
    private const string Taken = "location /thesis/attention/ {\n        proxy_pass http://10.0.0.5:27003;  # } not the end\n        proxy_set_header Host $host;\n    }";

    // What can stand around a block, and hides braces, semicolons and quotation marks in every way that nginx knows.
    private static readonly string[] Pieces =
    [
        "root /var/www;", "location / { return 200 \"a } b ; c\"; }", "# location /thesis/attention/ { in a comment }\n", "if ($host ~ \"^a{2}$\") { return 404; }", "add_header X 'it\\'s } { ;';",
        "location ~ \"^/x{2,3}$\" { deny all; }", "set $a ${host}b;", "return 200 \"multi\nline { text\";", "server_name a\\;b;", "location /thesis/attentions/ { proxy_pass http://10.0.0.5:27004; }", "\n\n", "   \t",
        "add_header Y \"#not a comment\";", "set $c a#b;",
    ];

    [Fact]
    public void Whatever_stands_around_it_a_block_is_found_and_nothing_but_it_is_taken() => Prop.ForAll(
        Gen.Choose(0, Pieces.Length * 1000).ListOf().Resize(12).ToArbitrary(), Gen.Choose(0, 1000).ToArbitrary(), (picks, where) =>
        {
            var pieces = picks.Select(pick => Pieces[pick % Pieces.Length] + (pick / Pieces.Length % 2 == 0 ? "\n" : " ")).ToList();
            var at = where % (pieces.Count + 1);
            var (before, after) = (string.Concat(pieces.Take(at)), string.Concat(pieces.Skip(at)));
            var text = $"server {{\n{before}\n    {Taken}\n{after}}}\n";
            var (directives, fault) = NginxText.Parse("f", text);
            Assert.Null(fault);
            var found = Assert.Single(directives[0].Block!, one => one.Name == "location" && one.Words is ["/thesis/attention/"]);
            Assert.Equal(Taken, text[found.Start..found.End]);
            Assert.Equal(1 + text[..found.Start].Count(c => c == '\n'), found.Line);
            Assert.Equal($"server {{\n{before}\n{after}}}\n", ForeignLocations.Without(text, [(found.Start, found.End)]));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void No_text_at_all_makes_the_reader_fail_and_what_it_reads_lies_inside_the_text() => Prop.ForAll(
        Gen.Elements('{', '}', ';', '#', '"', '\'', '\\', '$', '\n', ' ', 'a', '/').ListOf().Resize(40).ToArbitrary(), characters =>
        {
            var text = new string([.. characters]);
            var (directives, fault) = NginxText.Parse("f", text);
            Assert.True(fault is null || directives.Count == 0 && fault.Line >= 1);
            foreach (var one in directives)
            {
                Assert.True(one.Start < one.End && one.End <= text.Length && text[one.End - 1] == (one.Block is null ? ';' : '}'));
                // Each reads alone as it reads among the others.
                var (alone, broken) = NginxText.Parse("f", text[one.Start..one.End]);
                Assert.Null(broken);
                Assert.Equal((one.Name, one.End - one.Start), (Assert.Single(alone).Name, alone[0].End));
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Theory]
    [InlineData("server { listen 80;", 1, "not closed")]
    [InlineData("a b;\n}\n", 2, "not expected")]
    [InlineData("a\n  'b;\n", 2, "quotation is not closed")]
    [InlineData("a 'b'c;", 1, "follows a closing quotation mark")]
    [InlineData("\nlisten 80\n}", 2, "semicolon")]
    [InlineData("content_by_lua_block { ngx.say(\"}\") }", 1, "program")]
    public void What_cannot_be_read_whole_is_told_with_its_line(string text, int line, string says)
    {
        var (directives, fault) = NginxText.Parse("f", text);
        Assert.Empty(directives);
        Assert.Equal(line, fault!.Line);
        Assert.Contains(says, fault.What, StringComparison.Ordinal);
    }
}
