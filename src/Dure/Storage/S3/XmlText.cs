using System.Buffers;
using System.Globalization;
using System.Text;

namespace Dure.Storage.S3;

/// <summary>Writes the XML of an answer into one rented buffer.</summary>
internal sealed class XmlText : IDisposable
{
    public const string Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

    private static readonly SearchValues<char> Special = SearchValues.Create(
        "<>&\"\r\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u000b\u000c\u000e\u000f\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f\ufffe\uffff");

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(1024);
    private int _length;

    /// <param name="declaration">False where a declaration was written before.</param>
    public XmlText(bool declaration = true)
    {
        if (declaration)
            Raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    }

    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _length);

    /// <summary>The root, in the namespace of S3.</summary>
    public XmlText Root(string name) => Raw("<").Raw(name).Raw(" xmlns=\"" + Namespace + "\">");

    public XmlText Open(string name) => Raw("<").Raw(name).Raw(">");

    public XmlText Close(string name) => Raw("</").Raw(name).Raw(">");

    public XmlText Element(string name, string value) => Open(name).Text(value).Close(name);

    public XmlText Element(string name, long value) => Element(name, value.ToString(CultureInfo.InvariantCulture));

    public XmlText Element(string name, bool value) => Element(name, value ? "true" : "false");

    /// <summary>In UTC with milliseconds, which S3 always leaves at zero.</summary>
    public XmlText Element(string name, DateTimeOffset value) => Element(name, value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'.000Z'", CultureInfo.InvariantCulture));

    /// <summary>Nothing for null.</summary>
    public XmlText Optional(string name, string? value) => value is null ? this : Element(name, value);

    public XmlText Owner(string name, string user) => Open(name).Element("ID", user).Element("DisplayName", user).Close(name);

    /// <summary>Text, escaped; characters that XML cannot hold become references, as S3 writes them.</summary>
    public XmlText Text(ReadOnlySpan<char> text)
    {
        while (text.IndexOfAny(Special) is var at and >= 0)
        {
            Raw(text[..at]);
            switch (text[at])
            {
                case '<':
                    Raw("&lt;");
                    break;
                case '>':
                    Raw("&gt;");
                    break;
                case '&':
                    Raw("&amp;");
                    break;
                case '"':
                    Raw("&quot;");
                    break;
                default:
                    Raw(string.Create(CultureInfo.InvariantCulture, $"&#x{(int)text[at]:x};"));
                    break;
            }
            text = text[(at + 1)..];
        }
        return Raw(text);
    }

    /// <summary>Text that needs no escaping.</summary>
    public XmlText Raw(ReadOnlySpan<char> text)
    {
        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (_buffer.Length - _length < most)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, _length + most));
            Written.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
        _length += Encoding.UTF8.GetBytes(text, _buffer.AsSpan(_length));
        return this;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _length = 0;
    }
}
