using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Dure.Functions.Api;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;
using Dure.Host.Terminal;

namespace Dure.Functions.Commands;

/// <summary><c>dure fn invoke</c>: runs a function and gives its result on standard output.</summary>
internal static class InvokeCommand
{
    private static readonly Option<string> Data = new("--data", "-d")
    {
        Description = "The event: JSON, @FILE for a file's content, or - for standard input. {} when not given.",
        HelpName = "JSON|@FILE|-",
    };

    private static readonly Option<bool> Async = new("--async") { Description = "Do not wait: print the invocation's id." };

    private static readonly Option<string?> Wait = new("--wait")
    {
        Description = "Wait this long at most, then print the id and leave it running. Without, wait for ever.",
        HelpName = "TIME",
    };

    private static readonly Option<bool> Stream = new("--stream") { Description = "Print each piece of the result as the function yields it." };
    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Show its logs on standard error while it runs." };
    private static readonly Option<string?> Key = new("--idempotency-key") { Description = "The same key never starts a second invocation.", HelpName = "KEY" };
    private static readonly Option<string?> Callback = new("--callback") { Description = "Address that is told when it is over.", HelpName = "URL" };
    private static readonly Option<string?> Version = new("--function-version") { Description = "Digest, its beginning, or number; without, the live one.", HelpName = "VERSION" };

    public static Verb Make() =>
        new Verb("invoke", "Run a function and print its result.",
            ("dure fn invoke hello-python --data '{\"name\": \"Ada\"}'", "wait for the result"),
            ("dure fn invoke train --data @config.json --follow", "the event from a file; logs while it runs"),
            ("dure fn invoke train --async", "print the id at once; see `dure inv watch ID`"),
            ("cat big.bin | dure fn invoke digest --data - > result", "any bytes in, any bytes out"))
        .With(FunctionCommands.Name, Data, Async, Wait, Stream, Follow, Key, Callback, Version)
        .Calls(RunAsync);

    private static async Task<Outcome<int>> RunAsync(Call call, DureClient client, CancellationToken cancel)
    {
        var modes = new[] { call.Get(Async), call.Has(Wait), call.Get(Stream) }.Count(chosen => chosen);
        if (modes > 1)
        {
            return CommandErrors.Usage.With("--async, --wait and --stream exclude each other.");
        }

        var wait = call.Get(Wait) is { } text ? Units.ReadDuration(text) : default;
        if (wait.Error is not null)
        {
            return CommandErrors.Usage.With("--wait: " + wait.Error);
        }

        var body = OpenEvent(call.Get(Data));
        if (!body.Ok)
        {
            return body.Problem;
        }

        // Following needs the id at once, so the result is fetched when it is over.
        var isDeferred = call.Get(Async) || call.Get(Follow);
        using var request = Request(call, body.Value, isDeferred ? "respond-async"
            : call.Get(Stream) ? "stream"
            : call.Has(Wait) ? string.Create(CultureInfo.InvariantCulture, $"wait={Math.Ceiling(wait.Value.TotalSeconds)}")
            : "wait");
        var sent = await client.SendAsync(request, cancel);
        if (!sent.Ok)
        {
            return sent.Problem;
        }

        using var response = sent.Value;
        if (response.StatusCode == HttpStatusCode.Accepted)
        {
            return await AcceptedAsync(call, client, response, cancel);
        }

        var told = InvocationHeaders.Of(response);
        await PrintResultAsync(call, response, told, cancel);
        call.Screen.Note($"invocation {told.Invocation}, attempt {told.Attempt}, {told.Durability}");
        return ExitCodes.Ok;
    }

    private static async Task<Outcome<int>> AcceptedAsync(Call call, DureClient client, HttpResponseMessage response, CancellationToken cancel)
    {
        var accepted = await DureClient.ReadAsync(response, CommandJson.Default.Accepted, cancel);
        if (!accepted.Ok)
        {
            return accepted.Problem;
        }

        if (call.Get(Follow))
        {
            return await FollowAsync(call, client, accepted.Value.Id, cancel);
        }

        if (call.Screen.Format == OutputFormat.Json)
        {
            call.Screen.Json(accepted.Value, CommandJson.Default.Accepted);
        }
        else
        {
            call.Screen.Line(accepted.Value.Id);
        }

        call.Screen.Note($"It is {accepted.Value.State}. Watch it: dure inv watch {accepted.Value.Id}");
        return ExitCodes.Ok;
    }

    private static async Task<Outcome<int>> FollowAsync(Call call, DureClient client, string id, CancellationToken cancel)
    {
        var ended = await LiveView.FollowAsync(call, client, id, line => call.Screen.Say(LogLine.Show(line)), cancel);
        if (!ended.Ok)
        {
            return ended.Problem;
        }

        if (ended.Value.State != "SUCCESS")
        {
            return InvocationProblem.Of(ended.Value);
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/invocations/{id}/result");
        var sent = await client.SendAsync(request, cancel);
        if (!sent.Ok)
        {
            return sent.Problem;
        }

        using var response = sent.Value;
        await PrintResultAsync(call, response, new InvocationHeaders(id, $"{ended.Value.Attempt}", ended.Value.Durability, ended.Value.Version), cancel);
        return ExitCodes.Ok;
    }

    private static HttpRequestMessage Request(Call call, Stream body, string prefer)
    {
        var query = call.Get(Version) is { } version ? "?version=" + Uri.EscapeDataString(version) : "";
        var request = new HttpRequestMessage(HttpMethod.Post, $"/api/functions/{Uri.EscapeDataString(call.Get(FunctionCommands.Name)!)}/invocations{query}")
        {
            Content = new UploadContent(body, "application/json", null),
            Headers = { { "Prefer", prefer } },
        };
        if (prefer == "stream")
        {
            request.Headers.Accept.ParseAdd("application/octet-stream");
        }

        if (call.Get(Key) is { } key)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        if (call.Get(Callback) is { } callback)
        {
            request.Headers.Add("Dure-Callback-Url", callback);
        }

        return request;
    }

    private static Outcome<Stream> OpenEvent(string? data)
    {
        try
        {
            return data switch
            {
                null => new MemoryStream("{}"u8.ToArray()),
                "-" => Console.OpenStandardInput(),
                ['@', .. var path] => File.OpenRead(path),
                _ => new MemoryStream(Encoding.UTF8.GetBytes(data)),
            };
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return CommandErrors.FileProblem.With("--data: " + failure.Message);
        }
    }

    private static async Task PrintResultAsync(Call call, HttpResponseMessage response, InvocationHeaders told, CancellationToken cancel)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancel);
        if (call.Screen.Format == OutputFormat.Table)
        {
            await call.Screen.RawAsync(body, cancel);
            return;
        }

        using var buffer = new MemoryStream();
        await body.CopyToAsync(buffer, cancel);
        call.Screen.Line(told.WithResult(buffer.ToArray(), response.Content.Headers.ContentType?.MediaType == "application/json"));
    }
}

/// <summary>What an answer's headers tell of an invocation.</summary>
internal sealed record InvocationHeaders(string? Invocation, string? Attempt, string? Durability, string? Version)
{
    public static InvocationHeaders Of(HttpResponseMessage response)
    {
        string? Header(string name) => response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
        return new(Header("Dure-Invocation"), Header("Dure-Attempt"), Header("Dure-Durability"), Header("Dure-Version"));
    }

    /// <summary>One JSON object; a result that is no JSON is text when it is UTF-8, else base64.</summary>
    public string WithResult(byte[] result, bool isJson)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("invocation", Invocation);
            json.WriteString("version", Version);
            json.WriteString("attempt", Attempt);
            json.WriteString("durability", Durability);
            if (isJson)
            {
                json.WritePropertyName("result");
                json.WriteRawValue(result);
            }
            else if (System.Text.Unicode.Utf8.IsValid(result))
            {
                json.WriteString("result_text", result);
            }
            else
            {
                json.WriteBase64String("result_base64", result);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}

/// <summary>An invocation that did not succeed, as a problem.</summary>
internal static class InvocationProblem
{
    public static Problem Of(InvocationView invocation)
    {
        var detail = invocation.Error is { } error ? DureClient.Explain(error.ErrorType, error.ErrorMessage, error.StackTrace) : invocation.Reason ?? "";
        var kind = invocation.State switch
        {
            "CANCELLED" => FunctionErrors.FunctionCancelled,
            "UNKNOWN" => FunctionErrors.OutcomeUnknown,
            _ => FunctionErrors.FunctionFailed,
        };
        return kind.With($"Invocation {invocation.Id}:\n{detail}");
    }
}
