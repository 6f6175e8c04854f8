using System.Text;
using System.Text.Json;

namespace Dure.Host.Terminal;

/// <summary>Problems as text for people.</summary>
internal static class ProblemText
{
    public static string Render(Problem problem, bool colour)
    {
        var (red, dim, end) = colour ? ("\x1b[1;31m", "\x1b[2m", "\x1b[0m") : ("", "", "");
        var text = new StringBuilder();
        text.Append(red).Append("error").Append(end).Append(": ").Append(problem.Kind.Title).Append(' ')
            .Append(dim).Append('(').Append(problem.Kind.Id).Append(')').Append(end).AppendLine();
        if (problem.Detail.Length > 0)
        {
            Indent(text, problem.Detail);
        }

        foreach (var fault in problem.Faults)
        {
            Indent(text, $"{fault.Where}: {fault.What}");
        }

        if (problem.Kind.Remedy.Length > 0)
        {
            Indent(text, problem.Kind.Remedy);
        }

        return text.ToString();
    }

    /// <summary>One object in the shape of the API's problems.</summary>
    public static string RenderJson(Problem problem)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("id", problem.Kind.Id);
            json.WriteString("title", problem.Kind.Title);
            json.WriteNumber("status", problem.Kind.Status);
            json.WriteString("detail", problem.Detail);
            json.WriteString("remedy", problem.Kind.Remedy);
            json.WriteStartArray("faults");
            foreach (var fault in problem.Faults)
            {
                json.WriteStartObject();
                json.WriteString("where", fault.Where);
                json.WriteString("what", fault.What);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    private static void Indent(StringBuilder text, string lines)
    {
        foreach (var line in lines.Split('\n'))
        {
            text.Append("  ").AppendLine(Screen.Printable(line.TrimEnd('\r'), isTerminal: true));
        }
    }
}
