using System.Text;

namespace Dure.Edge.Foreign;

/// <summary>Reads one file of nginx's configuration as nginx does: quotes, backslashes, comments and <c>${names}</c> hide braces and semicolons. One character is one byte.</summary>
internal sealed class NginxText
{
    private const int DepthMost = 50;

    private enum Sign
    {
        Word,
        Semicolon,
        Open,
        Close,
        End,
    }

    private readonly record struct Token(Sign Sign, string Text, int Start, int End);

    private sealed class UnreadableException(int at, string what) : Exception(what)
    {
        public int At => at;
    }

    private readonly string _file;
    private readonly string _text;
    private readonly List<int> _lines = [0];
    private int _at;

    private NginxText(string file, string text)
    {
        (_file, _text) = (file, text);
        for (var at = text.IndexOf('\n', StringComparison.Ordinal); at >= 0; at = text.IndexOf('\n', at + 1))
            _lines.Add(at + 1);
    }

    /// <summary>Everything in a file; or nothing, and why it cannot be read as a whole.</summary>
    public static (IReadOnlyList<NginxDirective> Directives, NginxFault? Fault) Parse(string file, string text)
    {
        var reader = new NginxText(file, text);
        try
        {
            return (reader.Directives(0), null);
        }
        catch (UnreadableException unreadable)
        {
            return ([], new(file, reader.LineOf(unreadable.At), unreadable.Message));
        }
    }

    private int LineOf(int at) => _lines.BinarySearch(at) is >= 0 and var found ? found + 1 : ~_lines.BinarySearch(at);

    private List<NginxDirective> Directives(int depth)
    {
        if (depth > DepthMost)
            throw new UnreadableException(_at, "blocks are nested too deeply");
        var all = new List<NginxDirective>();
        while (true)
        {
            var first = Next();
            switch (first.Sign)
            {
                case Sign.Word:
                    all.Add(Directive(first, depth));
                    break;
                case Sign.Close when depth > 0:
                case Sign.End when depth == 0:
                    return all;
                case Sign.End:
                    throw new UnreadableException(first.Start, "a block is not closed");
                default:
                    throw new UnreadableException(first.Start, $"\"{first.Text}\" is not expected here");
            }
        }
    }

    private NginxDirective Directive(Token name, int depth)
    {
        var words = new List<string>();
        while (true)
        {
            var next = Next();
            switch (next.Sign)
            {
                case Sign.Word:
                    words.Add(next.Text);
                    break;
                case Sign.Semicolon:
                    return new(name.Text, words, _file, LineOf(name.Start), LineOf(next.Start), name.Start, next.End, null);
                case Sign.Open when name.Text.EndsWith("_by_lua_block", StringComparison.Ordinal):
                    throw new UnreadableException(name.Start, $"{name.Text} holds a program, which is not read");
                case Sign.Open:
                    var inside = Directives(depth + 1);
                    return new(name.Text, words, _file, LineOf(name.Start), LineOf(_at - 1), name.Start, _at, inside);
                default:
                    throw new UnreadableException(name.Start, $"{name.Text} is not ended by a semicolon");
            }
        }
    }

    private Token Next()
    {
        while (_at < _text.Length && (IsSpace(_text[_at]) || _text[_at] == '#'))
        {
            var end = _text[_at] == '#' ? _text.IndexOf('\n', _at) : _at;
            _at = end < 0 ? _text.Length : end + 1;
        }

        var start = _at;
        if (start == _text.Length)
            return new(Sign.End, "the end", start, start);
        Sign? sign = _text[start] switch { ';' => Sign.Semicolon, '{' => Sign.Open, '}' => Sign.Close, _ => null };
        if (sign is { } found)
            return new(found, _text[start].ToString(), start, ++_at);
        var word = _text[start] is '"' or '\'' ? Quoted(_text[start]) : Plain();
        return new(Sign.Word, word, start, _at);
    }

    private string Quoted(char quote)
    {
        var start = _at++;
        var word = new StringBuilder();
        while (_at < _text.Length && _text[_at] != quote)
            Character(word);
        if (_at == _text.Length)
            throw new UnreadableException(start, "a quotation is not closed");
        _at++;
        if (_at < _text.Length && !IsSpace(_text[_at]) && _text[_at] is not (';' or '{' or ')'))
            throw new UnreadableException(_at, $"\"{_text[_at]}\" follows a closing quotation mark");
        return word.ToString();
    }

    private string Plain()
    {
        var word = new StringBuilder();
        var variable = false;
        while (_at < _text.Length && !IsSpace(_text[_at]) && _text[_at] != ';' && (_text[_at] != '{' || variable))
        {
            variable = _text[_at] == '$' || variable && _text[_at] == '{';
            Character(word);
        }

        return word.ToString();
    }

    private void Character(StringBuilder word)
    {
        if (_text[_at] != '\\' || _at + 1 == _text.Length)
        {
            word.Append(_text[_at++]);
            return;
        }

        var escaped = _text[_at + 1];
        _at += 2;
        _ = escaped switch
        {
            '"' or '\'' or '\\' => word.Append(escaped),
            't' => word.Append('\t'),
            'r' => word.Append('\r'),
            'n' => word.Append('\n'),
            _ => word.Append('\\').Append(escaped),
        };
    }

    private static bool IsSpace(char c) => c is ' ' or '\t' or '\r' or '\n';
}
