using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;
using Dure.Host.Terminal;
using Dure.Storage.Replication;

namespace Dure.Storage;

/// <summary><c>dure storage</c>: second providers, and the copies that they have.</summary>
internal static class StorageCommands
{
    private static readonly Argument<string?> Provider = new("provider") { Description = "Only this one; without, every provider.", Arity = ArgumentArity.ZeroOrOne };

    private static readonly Option<string?> Check = new("--check") { Description = "Exit with 1 when something has waited for longer, or was lost.", HelpName = "AGE" };

    private static readonly Option<bool> Full = new("--full") { Description = "Read all bytes at the provider and here, instead of a sample at the provider." };

    private static readonly Option<string> From = new("--from") { Description = "The provider that has the copies.", HelpName = "NAME", Required = true };

    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Say what would be restored, and change nothing." };

    public static Verb Make() => new Verb("storage", "See to the copies at second providers.").With(MakeStatus(), MakeVerify(), MakeRepair(), MakeRestore(), Providers.TestCommand.Make(), Signing.KeyCommands.Make());

    private static Verb MakeStatus() =>
        new Verb("status", "Show how far each provider is behind, its last error and when its copies were last compared.",
            ("dure storage status", "every provider"),
            ("dure storage status --check 1h", "for a monitor: exit code 1 when something has waited for an hour"))
        .With(Check)
        .Calls(async (call, client, cancel) =>
        {
            TimeSpan? limit = null;
            if (call.Get(Check) is { } text)
            {
                var read = Units.ReadDuration(text);
                if (read.Error is { } wrong)
                    return HostErrors.BadRequest.With("--check: " + wrong);
                limit = read.Value;
            }
            var status = await client.GetAsync("/api/storage/status", StorageJson.Default.StorageStatusView, cancel);
            if (!status.Ok)
                return status.Problem;
            if (call.Screen.Format == OutputFormat.Json)
                call.Screen.Json(status.Value, StorageJson.Default.StorageStatusView);
            else
                Print(call, status.Value);
            return limit is { } age && status.Value.Providers.Any(provider => IsBehind(provider, age, call.Time)) ? ExitCodes.Failed : ExitCodes.Ok;
        });

    private static bool IsBehind(ProviderStatusView provider, TimeSpan age, TimeProvider time) =>
        provider.Lost > 0 || provider.OldestPendingAt is { } oldest && time.GetUtcNow() - oldest > age;

    private static void Print(Call call, StorageStatusView status)
    {
        if (status.Providers.Count == 0)
        {
            call.Screen.Say("No second provider is configured: nothing is copied. Add one under storage.providers in dure.yaml.");
            return;
        }
        call.Screen.Table(
            [new("provider", 12), new("mode"), new("oldest waiting"), new("objects", RightAligned: true), new("size", RightAligned: true), new("lost", RightAligned: true), new("state"), new("verified"), new("last error", 20)],
            [.. status.Providers.Select(provider => (IReadOnlyList<string>)
            [
                provider.Name, provider.Configured ? provider.Mode : "not configured", Phrase.Ago(provider.OldestPendingAt, call.Time),
                Number(provider.PendingObjects), Phrase.Size(provider.PendingBytes), Number(provider.Lost), State(provider, call.Time), Verified(provider.LastVerify, call.Time),
                provider.LastError is { } error ? (provider.LastErrorAt is { } at ? Phrase.Ago(at, call.Time) + ": " : "") + error : "-",
            ])]);
        foreach (var provider in status.Providers)
        {
            foreach (var lost in provider.Losses)
                call.Screen.Warn($"{provider.Name}: {Phrase.Digest(lost.Digest)}, {Phrase.Size(lost.Bytes)}, found {Phrase.Ago(lost.FoundAt, call.Time)}: {lost.Reason}");
        }
    }

    private static string State(ProviderStatusView provider, TimeProvider time) =>
        provider.Breaker == "closed" ? "in use" : provider.RetryAt is { } at ? "left alone, tried " + Phrase.Ago(at, time) : "being tried";

    private static string Verified(VerifyReport? report, TimeProvider time) =>
        report is null ? "never" : Phrase.Ago(report.At, time) + (report.Faults == 0 ? "" : ", " + Phrase.Count(report.Faults, "fault"));

    private static Verb MakeVerify() =>
        new Verb("verify", "Compare what providers have with what the databases say; exit code 1 when something is wrong.",
            ("dure storage verify", "every provider: all names and lengths, and a sample of the bytes"),
            ("dure storage verify second --full", "one provider, every byte"))
        .With(Provider, Full)
        .Calls((call, client, cancel) => RunAsync(call, client, "verify" + Query(call), "comparing", cancel));

    private static Verb MakeRepair() =>
        new Verb("repair", "Compare, send what a provider lacks, and fetch what was lost here. What no one has is named and then no longer waited for.",
            ("dure storage repair", "after verify found faults"),
            ("dure storage repair second --full", "read every byte, to find also what looks right and is not"))
        .With(Provider, Full)
        .Calls((call, client, cancel) => RunAsync(call, client, "repair" + Query(call), "repairing", cancel));

    private static Verb MakeRestore() =>
        new Verb("restore", "Bring back what a provider has and this machine does not: functions, results, buckets and their objects.",
            ("dure storage restore --from second --dry-run", "what would come back"),
            ("dure storage restore --from second", "on an empty data folder or a damaged one; may be run again"))
        .With(From, DryRun)
        .Calls((call, client, cancel) =>
            RunAsync(call, client, $"restore?from={Uri.EscapeDataString(call.Get(From)!)}{(call.Get(DryRun) ? "&dry_run=true" : "")}", "restoring", cancel));

    private static string Query(Call call)
    {
        string?[] parts = [call.Get(Provider) is { } provider ? "provider=" + Uri.EscapeDataString(provider) : null, call.Get(Full) ? "full=true" : null];
        var query = string.Join('&', parts.OfType<string>());
        return query.Length == 0 ? "" : "?" + query;
    }

    private static async Task<Outcome<int>> RunAsync(Call call, DureClient client, string path, string step, CancellationToken cancel)
    {
        var reports = new List<StorageLine>();
        var outcome = await Working.RunAsync<Outcome<int>>(call.Screen, step, async working =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/storage/" + path);
            var sent = await client.SendAsync(request, cancel);
            if (!sent.Ok)
                return sent.Problem;
            using var response = sent.Value;
            return await ReadAsync(response, working, reports, cancel);
        });
        foreach (var line in reports)
            Print(call.Screen, line);
        if (!outcome.Ok)
            return outcome.Problem;
        if (reports.Any(line => line.Restore is { DryRun: false, Restored: > 0 }))
            call.Screen.Note("What came back may be missing at other providers: dure storage repair");
        return reports.Any(IsBad) ? ExitCodes.Failed : ExitCodes.Ok;
    }

    private static async Task<Outcome<int>> ReadAsync(HttpResponseMessage response, Working working, List<StorageLine> reports, CancellationToken cancel)
    {
        try
        {
            await foreach (var text in DureClient.ReadLinesAsync(response, cancel))
            {
                var line = JsonSerializer.Deserialize(text, ReplicationJson.Default.StorageLine);
                if (line?.Progress is { } progress)
                    working.Say(progress);
                else if (line?.Fault is { } fault)
                    working.Log(fault);
                else if (line?.Problem is { } problem)
                    return DureClient.ToProblem(problem);
                else if (line is not null)
                    reports.Add(line);
            }
            return ExitCodes.Ok;
        }
        catch (JsonException failure)
        {
            return CommandErrors.BadAnswer.With(failure.Message);
        }
        catch (Exception failure) when (failure is IOException or HttpRequestException)
        {
            return CommandErrors.Unreachable.With("The connection was lost before the end: " + failure.Message);
        }
    }

    // A repair that found faults and mended them is good.
    private static bool IsBad(StorageLine line) => line.Verify is { Faults: > 0 } || line.Repair is { Unrepairable: > 0 } || line.Restore is { Failed: > 0 };

    private static void Print(Screen screen, StorageLine line)
    {
        if (screen.Format == OutputFormat.Json)
        {
            screen.Json(line, StorageJson.Default.StorageLine);
            return;
        }
        if (line.Verify is { } verify)
            screen.Line($"{verify.Provider}: {Say(verify)}");
        else if (line.Repair is { } repair)
            screen.Line($"{repair.Provider}: {Say(repair.Found)} Queued {Phrase.Count(repair.Queued, "thing")} ({Phrase.Size(repair.QueuedBytes)}), fetched back {Phrase.Count(repair.Mended, "thing")} ({Phrase.Size(repair.MendedBytes)}), beyond repair {Number(repair.Unrepairable)}.");
        else if (line.Restore is { } restore)
            screen.Line($"{restore.Provider}: {(restore.DryRun ? "would restore" : "restored")} {Phrase.Count(restore.Restored, "thing")} ({Phrase.Size(restore.Bytes)}), {Number(restore.Known)} were here, {Number(restore.Failed)} failed; {Phrase.Took(restore.DurationMs)}.");
    }

    private static string Say(VerifyReport report) =>
        $"{Phrase.Count(report.Objects, "thing")} ({Phrase.Size(report.Bytes)}) compared, {Number(report.Read)} read{(report.Full ? "" : " as a sample")}: "
        + $"{Number(report.Missing)} missing, {Number(report.Wrong)} wrong, {Number(report.Damaged)} damaged there; {Number(report.MissingHere)} missing, {Number(report.DamagedHere)} damaged here; {Number(report.Pending)} still to be sent.";

    private static string Number(long count) => count.ToString(CultureInfo.InvariantCulture);
}

/// <summary>JSON that the command line prints: the API's shapes, indented.</summary>
[System.Text.Json.Serialization.JsonSourceGenerationOptions(PropertyNamingPolicy = System.Text.Json.Serialization.JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[System.Text.Json.Serialization.JsonSerializable(typeof(StorageStatusView))]
[System.Text.Json.Serialization.JsonSerializable(typeof(StorageLine))]
internal sealed partial class StorageJson : System.Text.Json.Serialization.JsonSerializerContext;
