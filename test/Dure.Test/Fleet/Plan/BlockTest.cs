using Dure.Fleet.Plan;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Fleet.Plan;

public sealed class BlockTest
{
    /// <summary>Files of some lines, marks among them in any order.</summary>
    private static readonly Gen<string> Wholes = Gen.Elements("a", "b", "", " c", Block.Begin, Block.End, "# dure: other").ArrayOf().Select(lines => string.Join('\n', lines));

    private static readonly Gen<string> Blocks = Gen.Elements("x", "y y", "z").ArrayOf().Select(lines => string.Concat(lines.Select(line => line + "\n")));

    [Fact]
    public void Putting_the_same_block_twice_is_putting_it_once() => Check((whole, block) =>
    {
        var once = Block.Put(whole, block);
        Assert.Equal(once, Block.Put(once, block));
    });

    [Fact]
    public void A_block_replaces_another_and_leaves_no_trace_of_it() => Check((whole, block) =>
    {
        Assert.Equal(Block.Put(whole, block), Block.Put(Block.Put(whole, "another\nblock\n"), block));
        var without = Block.Put(Block.Put(whole, block), "");
        Assert.DoesNotContain(Block.Begin, without.Split('\n'));
    });

    [Fact]
    public void Lines_outside_of_whole_blocks_stay_in_their_order() => Check((whole, block) =>
    {
        var own = Own(whole);
        var put = Block.Put(whole, block).TrimEnd('\n').Split('\n').ToList();
        if (block.Length > 0)
            put.RemoveRange(put.IndexOf(Block.Begin), block.Count(c => c == '\n') + 2);
        Assert.Equal(own, put is [""] ? [] : put);
    });

    [Theory]
    [InlineData("", "# dure: begin (declared in dure.yaml)\nx\n# dure: end\n")]
    [InlineData("127.0.0.1 localhost", "127.0.0.1 localhost\n# dure: begin (declared in dure.yaml)\nx\n# dure: end\n")]
    [InlineData("a\n# dure: begin (declared in dure.yaml)\nold\n# dure: end\nb\n", "a\n# dure: begin (declared in dure.yaml)\nx\n# dure: end\nb\n")]
    [InlineData("a\n# dure: begin (declared in dure.yaml)\nmine\nb\n", "a\n# dure: begin (declared in dure.yaml)\nx\n# dure: end\nmine\nb\n")]
    public void A_block_stands_where_it_stood_or_at_the_end(string whole, string expected) => Assert.Equal(expected, Block.Put(whole, "x\n"));

    // The machine's own lines, found in another way: whole blocks are cut out of the text.
    private static List<string> Own(string whole)
    {
        var rest = whole.TrimEnd('\n').Split('\n').ToList();
        for (var begin = rest.IndexOf(Block.Begin); begin >= 0; begin = rest.IndexOf(Block.Begin))
        {
            var end = rest.IndexOf(Block.End, begin);
            rest.RemoveRange(begin, end < 0 ? 1 : end - begin + 1);
        }

        while (rest.Count > 0 && rest[^1].Length == 0)
            rest.RemoveAt(rest.Count - 1);
        return rest;
    }

    private static void Check(Action<string, string> holds) =>
        Prop.ForAll(Gen.Zip(Wholes, Blocks).ToArbitrary(), pair => holds(pair.Item1, pair.Item2)).Check(Config.QuickThrowOnFailure.WithMaxTest(500));
}
