using System.Security.Cryptography;
using System.Xml;
using System.Xml.Linq;
using Dure.Storage.Checksums;
using Dure.Storage.Signing;
using Dure.Storage.Store;

namespace Dure.Storage.S3;

/// <summary>Small bodies that are read as a whole: their bytes are as guarded as those of an upload, and XML may not define anything.</summary>
internal static class XmlBody
{
    public const int LengthMax = 2 << 20;

    /// <summary>Reads and verifies the body.</summary>
    /// <param name="ofBody">False where the checksums in the headers are of something else than the body.</param>
    public static async ValueTask<(byte[]? Bytes, S3Error? Error)> BytesAsync(S3Call call, bool ofBody = true)
    {
        var request = call.Http.Request;
        if (request.ContentLength is null && request.Headers.TransferEncoding.Count == 0)
            return ([], null);
        var (body, error) = ofBody ? RequestBody.Open(request, call.Verified, null, LengthMax, orDefault: false)
            : (new IncomingBody(request.Body, request.ContentLength, null, [], computed => IsSigned(call, computed) ? null : StoreFault.Sha256Mismatch), null);
        if (body is null)
            return (null, error!.Code == "EntityTooLarge" ? S3Errors.MalformedXml : error);
        if (body.Length > LengthMax)
            return (null, S3Errors.MalformedXml);
        var bytes = new byte[body.Length is { } known ? (int)known + 1 : 4096];
        var length = 0;
        int read;
        while ((read = await body.Body.ReadAsync(bytes.AsMemory(length), call.Cancel)) > 0)
        {
            length += read;
            if (length > LengthMax)
                return (null, S3Errors.MalformedXml);
            if (length == bytes.Length)
                Array.Resize(ref bytes, 2 * length);
        }
        if (body.Length is { } claimed && claimed != length)
            return (null, S3Errors.IncompleteBody);
        Array.Resize(ref bytes, length);
        var computed = Compute(bytes, body.Compute);
        if (body.Md5 is { } md5 && !md5.AsSpan().SequenceEqual(computed.Md5))
            return (null, S3Errors.BadDigest);
        return body.Verify(computed) is { } fault ? (null, S3Errors.Of(fault)) : (bytes, null);
    }

    /// <summary>Reads the body and its XML.</summary>
    public static async ValueTask<(XElement? Root, S3Error? Error)> ReadAsync(S3Call call)
    {
        var (bytes, error) = await BytesAsync(call);
        if (bytes is null)
            return (null, error);
        return Parse(new MemoryStream(bytes)) is { } root ? (root, null) : (null, S3Errors.MalformedXml);
    }

    public static XElement? Parse(string text) => Parse(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text)));

    /// <summary>The root element; null when it is no well-formed XML or has a document type.</summary>
    public static XElement? Parse(Stream bytes)
    {
        try
        {
            using var reader = XmlReader.Create(bytes, new XmlReaderSettings
            {
                DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, IgnoreComments = true, IgnoreProcessingInstructions = true, MaxCharactersInDocument = LengthMax, CheckCharacters = false,
            });
            return XDocument.Load(reader).Root;
        }
        catch (XmlException)
        {
            return null;
        }
    }

    /// <summary>The first child of a name, in whichever namespace.</summary>
    public static XElement? Child(XElement element, string name)
    {
        foreach (var child in element.Elements())
        {
            if (child.Name.LocalName == name)
                return child;
        }
        return null;
    }

    public static string? Text(XElement element, string name) => Child(element, name)?.Value.Trim();

    private static ComputedChecksums Compute(byte[] bytes, IReadOnlyList<ChecksumKind> kinds)
    {
        var values = new Dictionary<ChecksumKind, string>();
        foreach (var kind in kinds)
            values[kind] = Of(kind, bytes);
        return new ComputedChecksums(bytes.Length, Md5(bytes), SHA256.HashData(bytes), values);
    }

    private static string Of(ChecksumKind kind, byte[] bytes)
    {
        using var running = new RunningChecksum(kind);
        running.Append(bytes);
        return running.Finish();
    }

    private static bool IsSigned(S3Call call, ComputedChecksums computed) =>
        call.Verified.Sha256 is not { } claimed || claimed.Equals(Convert.ToHexStringLower(computed.Sha256), StringComparison.OrdinalIgnoreCase);

    // Content-MD5 is what S3 guards bodies with; nothing is kept secret by it.
#pragma warning disable CA5351
    private static byte[] Md5(byte[] bytes) => MD5.HashData(bytes);
#pragma warning restore CA5351
}
