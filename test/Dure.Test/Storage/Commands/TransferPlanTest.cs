using Dure.Storage.Commands;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Storage.Commands;

public sealed class TransferPlanTest
{
    private static readonly Gen<long> Sizes = Gen.OneOf(
        Gen.Choose(0, 1 << 30).Select(size => (long)size), Gen.Choose(0, 5 << 20).Select(mib => mib * TransferPlan.MiB), Gen.Choose(-2, 2).Select(off => (160_000 * TransferPlan.MiB) + off));

    [Fact]
    public void Pieces_cover_every_byte_once_and_are_at_most_10000() => Prop.ForAll(Sizes.ToArbitrary(), size =>
    {
        var pieces = TransferPlan.Cut(size, TransferPlan.PieceBytes(size, TransferPlan.PieceBytesDefault).Value);
        var end = 0L;
        foreach (var piece in pieces)
        {
            Assert.Equal(end, piece.Offset);
            end += piece.Length;
        }

        Assert.Equal(size, end);
        Assert.True(pieces.Count <= TransferPlan.PiecesMax);
        Assert.All(pieces.SkipLast(1), piece => Assert.InRange(piece.Length, TransferPlan.PieceBytesMin, TransferPlan.PieceBytesMax));
        Assert.Equal(Enumerable.Range(1, pieces.Count), pieces.Select(piece => piece.Number));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Nothing_larger_than_an_object_may_be_is_planned()
    {
        Assert.True(TransferPlan.PieceBytes(TransferPlan.ObjectBytesMax, TransferPlan.PieceBytesDefault).Ok);
        Assert.Equal("DURE0681", TransferPlan.PieceBytes(TransferPlan.ObjectBytesMax + 1, TransferPlan.PieceBytesDefault).Problem?.Kind.Id);
    }

    [Fact]
    public void A_part_is_kept_only_when_its_number_its_length_and_its_bytes_are_those_of_the_file()
    {
        var parts = from number in Gen.Choose(1, 8) from length in Gen.Elements(10L, 7L) from etag in Gen.Elements("aa", "bb") select new StoredPiece(number, length, etag);
        var stored = Gen.ListOf(parts).Select(list => list.DistinctBy(part => part.Number).ToList());
        Prop.ForAll(stored.ToArbitrary(), there =>
        {
            var pieces = TransferPlan.Cut(57, 10);
            var md5 = TransferPlan.Candidates(pieces, there).ToDictionary(piece => piece.Number, _ => "AA");
            var kept = TransferPlan.Kept(pieces, there, md5);
            Assert.All(pieces, piece => Assert.Equal(
                there.Exists(part => part.Number == piece.Number && part.Length == piece.Length && part.ETag == "aa"), kept.Contains(piece.Number)));
            Assert.DoesNotContain(kept, number => number > pieces.Count);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_transfer_goes_on_only_with_the_same_source_and_target()
    {
        var now = new TransferState("/a", "s3://lab/a", 10, "1", 5);
        Assert.True(TransferPlan.Continues(now with { UploadId = "u" }, now));
        Assert.False(TransferPlan.Continues(null, now));
        Assert.False(TransferPlan.Continues(now with { Size = 11 }, now));
        Assert.False(TransferPlan.Continues(now with { Stamp = "2" }, now));
        Assert.False(TransferPlan.Continues(now with { Target = "s3://lab/b" }, now));
    }

    [Fact]
    public void What_is_remembered_is_found_again_and_forgotten()
    {
        using var scratch = new Processes.Scratch();
        var memory = new TransferMemory(scratch["deep", "transfers"], TimeProvider.System);
        var state = new TransferState("/a", "s3://lab/a", 10, "1", 5, null, [1, 3]);
        Assert.Null(memory.Find("/a", "s3://lab/a"));
        memory.Keep(state);
        Assert.Equal([1, 3], memory.Find("/a", "s3://lab/a")!.Done!);
        Assert.Null(memory.Find("/a", "s3://lab/b"));
        File.WriteAllText(Directory.GetFiles(scratch["deep", "transfers"])[0], "{ torn");
        Assert.Null(memory.Find("/a", "s3://lab/a"));
        memory.Forget(state);
        Assert.Empty(Directory.GetFiles(scratch["deep", "transfers"]));
    }
}
