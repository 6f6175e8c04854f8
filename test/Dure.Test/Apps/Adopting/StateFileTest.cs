using System.Text;
using Dure.Apps.Adopting;
using Xunit;

namespace Dure.Test.Apps.Adopting;

/// <summary>Lists of ports as people keep them.</summary>
public sealed class StateFileTest
{
    private static (string Said, string Unread) Read(string json)
    {
        var (entries, unread) = StateFile.Parse("s", Encoding.UTF8.GetBytes(json));
        return (string.Join(' ', entries.Select(entry => $"{entry.Id}={entry.Port}@{entry.At}")), string.Join('\n', unread));
    }

    [Theory]
    [InlineData("{\"attention\": {\"port\": 27003, \"pid\": 12}}")]
    [InlineData("{\"attention\": 27003}")]
    [InlineData("{\"ports\": {\"attention\": \"27003\"}}")]
    [InlineData("{\"27003\": \"attention\"}")]
    [InlineData("[{\"slug\": \"attention\", \"port\": 27003}]")]
    [InlineData("{\"papers\": [{\"name\": \"attention\", \"port\": 27003},]} // by hand")]
    public void Every_shape_is_understood(string json) => Assert.Equal(("attention=27003@s:1", ""), Read(json));

    [Fact]
    public void What_is_not_understood_is_told_with_its_line_and_the_rest_is_read()
    {
        var (said, unread) = Read("{\n  \"version\": 2,\n  \"attention\": 27003,\n  \"apps\": [\n    {\"port\": 27004}\n  ]\n}");
        Assert.Equal("attention=27003@s:3", said);
        Assert.Contains("s:2: version says no port", unread, StringComparison.Ordinal);
        Assert.Contains("s:5: an entry has no id", unread, StringComparison.Ordinal);
        Assert.Contains("s:2: it is no JSON", Read("{\n oops").Unread, StringComparison.Ordinal);
        Assert.Contains("s:1: it is neither", Read("7").Unread, StringComparison.Ordinal);
        Assert.NotEqual("", Read("").Unread);
    }
}
