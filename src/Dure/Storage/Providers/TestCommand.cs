using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Storage.Providers;

/// <summary><c>dure storage test NAME</c>: proves a provider, step by step.</summary>
internal static class TestCommand
{
    private static readonly Argument<string> Name = new("name") { Description = "The provider, as it is called in dure.yaml." };

    public static Verb Make() =>
        new Verb("test", "Prove a provider: put, get, range, list, copy, conditional put, multipart, pre-signed addresses, CORS, delete, and how fast it is.",
            ("dure storage test second", "with objects under dure-test/, which are removed at the end"))
        .With(Name)
        .Calls(RunAsync);

    private static async Task<Outcome<int>> RunAsync(Call call, DureClient client, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/storage/providers/{Uri.EscapeDataString(call.Get(Name)!)}/test");
        var sent = await client.SendAsync(request, cancel);
        if (!sent.Ok)
        {
            return sent.Problem;
        }

        using var response = sent.Value;
        var steps = new List<ProviderTestStep>();
        try
        {
            await foreach (var line in DureClient.ReadLinesAsync(response, cancel))
            {
                var step = JsonSerializer.Deserialize(line, ProvidersJson.Default.ProviderTestStep)!;
                steps.Add(step);
                if (call.Screen.Format != OutputFormat.Json)
                {
                    call.Screen.Line(Line(step));
                }
            }
        }
        catch (JsonException failure)
        {
            return CommandErrors.BadAnswer.With(failure.Message);
        }
        catch (Exception failure) when (failure is IOException or HttpRequestException)
        {
            return CommandErrors.Unreachable.With("The connection was lost during the test: " + failure.Message);
        }

        if (call.Screen.Format == OutputFormat.Json)
        {
            call.Screen.Json(steps, ProvidersJson.Default.IReadOnlyListProviderTestStep);
        }

        var failed = steps.Where(step => step.State is "failed").Select(step => step.Step).ToList();
        return steps is not [.., { Step: "delete" }] ? CommandErrors.BadAnswer.With("The answer ended before the test did.")
            : failed.Count == 0 ? ExitCodes.Ok
            : ProviderErrors.TestFailed.With($"{call.Get(Name)}: {string.Join(", ", failed)}.");
    }

    private static string Line(ProviderTestStep step) =>
        string.Create(CultureInfo.InvariantCulture, $"{step.State,-8} {step.Step,-16} {step.Seconds,7:0.00} s  {step.Detail}").TrimEnd();
}
