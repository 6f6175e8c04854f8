using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Dure.Test.Processes;

namespace Dure.Test.Functions.Api;

/// <summary>Deploys packages with the headers that a test wants.</summary>
internal static class SourcePackages
{
    /// <summary>A package of entries.</summary>
    public static async Task<byte[]> PackAsync(CancellationToken cancel, params TarEntry[] entries)
    {
        using var package = new MemoryStream();
        await using (var zip = new GZipStream(package, CompressionLevel.Fastest, leaveOpen: true))
        await using (var tar = new TarWriter(zip))
        {
            foreach (var entry in entries)
                await tar.WriteEntryAsync(entry, cancel);
        }
        return package.ToArray();
    }

    /// <summary>A file of a package.</summary>
    public static TarEntry File(string path, byte[] content, bool executable = false) => new PaxTarEntry(TarEntryType.RegularFile, path)
    {
        DataStream = new MemoryStream(content),
        Mode = executable ? (UnixFileMode)0b111_101_101 : (UnixFileMode)0b110_100_100,
    };

    /// <summary>A Python function that answers with a text.</summary>
    public static TarEntry Python(string answer) => File("handler.py", Encoding.UTF8.GetBytes($"def handler(event, context):\n    return '{answer}'\n"));

    /// <summary>Deploys and gives the status and the last line of the answer.</summary>
    public static async Task<(int Status, JsonNode Last)> DeployAsync(this RunningDure dure, string name, byte[] package, CancellationToken cancel, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/functions/{name}/versions") { Content = new ByteArrayContent(package) };
        foreach (var (header, value) in headers)
            request.Headers.TryAddWithoutValidation(header, value);
        using var response = await dure.Http.SendAsync(request, cancel);
        var lines = (await response.Content.ReadAsStringAsync(cancel)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return ((int)response.StatusCode, JsonNode.Parse(lines[^1])!);
    }
}
