using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Dure.Apps.Adopting;

/// <summary>An app and its port, as a list that somebody keeps says it.</summary>
/// <param name="At">File and line.</param>
public sealed record StateEntry(string Id, int Port, string At);

/// <summary>
/// Reads such a list: <c>{"attention": {"port": 27003}}</c>, <c>{"attention": 27003}</c>, <c>{"27003": "attention"}</c>, a list of objects with id, name or slug, and port; each also below
/// <c>ports</c>, <c>apps</c>, <c>papers</c>, <c>services</c> or <c>notebooks</c>. Whatever else is there is told with its line.
/// </summary>
internal sealed class StateFile
{
    public const string Name = "state.json";

    private const int PortLeast = 1024;
    private const int PortMost = 65535;

    private static readonly string[] Containers = ["ports", "apps", "papers", "services", "notebooks"];
    private static readonly string[] Ids = ["id", "slug", "name"];

    private readonly string _file;
    private readonly List<StateEntry> _entries = [];
    private readonly List<string> _unread = [];

    private sealed record Piece(int Line, string? Text, IReadOnlyList<(string Name, Piece Value)>? Fields, IReadOnlyList<Piece>? Items)
    {
        public Piece? Field(string name) => Fields?.FirstOrDefault(field => field.Name == name).Value;

        public int? Port => int.TryParse(Text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= PortLeast and <= PortMost ? port : null;
    }

    private StateFile(string file) => _file = file;

    /// <summary>What it says, and what in it was not understood.</summary>
    public static (IReadOnlyList<StateEntry> Entries, IReadOnlyList<string> Unread) Parse(string file, byte[] bytes)
    {
        var state = new StateFile(file);
        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
            reader.Read();
            state.Container(Read(ref reader, bytes), "", root: true);
        }
        catch (JsonException broken)
        {
            state._unread.Add(FormattableString.Invariant($"{file}:{broken.LineNumber + 1}: it is no JSON"));
        }

        return (state._entries, state._unread);
    }

    private void Container(Piece piece, string name, bool root = false)
    {
        foreach (var (key, value) in piece.Fields ?? [])
        {
            if (root && Containers.Contains(key, StringComparer.Ordinal) && value.Text is null)
                Container(value, key);
            else
                Entry(key, value);
        }

        foreach (var item in piece.Items ?? [])
            Item(item);
        if (piece.Text is not null)
            Unread(piece, $"{(name.Length == 0 ? "it" : name)} is neither an object nor a list");
    }

    private void Entry(string key, Piece value)
    {
        if ((value.Port ?? value.Field("port")?.Port) is { } port)
            Add(key, port, value);
        else if (int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var reversed) && reversed is >= PortLeast and <= PortMost && (value.Text ?? NameOf(value)) is { Length: > 0 } id)
            Add(id, reversed, value);
        else
            Unread(value, $"{Host.Texts.Shown.Safely(key)} says no port from {PortLeast} to {PortMost}");
    }

    private void Item(Piece item)
    {
        if (NameOf(item) is { } id && item.Field("port")?.Port is { } port)
            Add(id, port, item);
        else
            Unread(item, "an entry has no id, name or slug, or no port");
    }

    private static string? NameOf(Piece piece) => Ids.Select(id => piece.Field(id)?.Text).FirstOrDefault(text => text is { Length: > 0 });

    private void Add(string id, int port, Piece at) => _entries.Add(new(id, port, FormattableString.Invariant($"{_file}:{at.Line}")));

    private void Unread(Piece at, string what) => _unread.Add(FormattableString.Invariant($"{_file}:{at.Line}: {what}"));

    private static Piece Read(ref Utf8JsonReader reader, byte[] bytes)
    {
        var line = 1 + bytes.AsSpan(0, (int)reader.TokenStartIndex).Count((byte)'\n');
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var fields = new List<(string, Piece)>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                {
                    var name = reader.GetString()!;
                    reader.Read();
                    fields.Add((name, Read(ref reader, bytes)));
                }

                return new(line, null, fields, null);
            case JsonTokenType.StartArray:
                var items = new List<Piece>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    items.Add(Read(ref reader, bytes));
                return new(line, null, null, items);
            default:
                return new(line, Encoding.UTF8.GetString(reader.ValueSpan), null, null);
        }
    }
}
