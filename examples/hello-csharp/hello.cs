// The event on stdin, the result on stdout, lines on stderr are its log.
using System.Text.Json.Nodes;

var name = JsonNode.Parse(Console.In.ReadToEnd())?["name"]?.GetValue<string>() ?? "world";
Console.Error.WriteLine($"greeting {name}");
Console.Write(new JsonObject { ["hello"] = name }.ToJsonString());
