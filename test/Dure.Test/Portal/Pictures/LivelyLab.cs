using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Dure.Host.Data;
using Dure.Test.Portal.Browser;
using Dure.Test.Processes;

namespace Dure.Test.Portal.Pictures;

/// <summary>A lab as it is after a day: people, functions in several languages, much that ran, some that failed, one long run, buckets.</summary>
/// <param name="Long">A run that is under way.</param>
/// <param name="Failed">One that failed last night.</param>
/// <param name="Before">The same the night before, which went well.</param>
internal sealed record LivelyLab(RunningDure Dure, string Long, string Failed, string Before)
{
    private static readonly (string Name, string Display, string Role)[] People = [("ada", "Ada Marsh", "member"), ("grace", "Grace Okafor", "owner"), ("minjun", "Kim Min-jun", "member"), ("yuna", "Park Yuna", "viewer")];

    /// <summary>Makes it on a server that is new; the server is started anew in between.</summary>
    public static async Task<LivelyLab> MakeAsync(RunningDure dure, CancellationToken cancel)
    {
        foreach (var (name, display, role) in People)
            await dure.SendAsync(HttpMethod.Post, "/api/people", cancel, $$"""{"name":"{{name}}","display_name":"{{display}}","role":"{{role}}","password":"a long enough phrase for {{name}}"}""");
        using (var grace = await SignedInAsync(dure, "grace", cancel))
        using (var ada = await SignedInAsync(dure, "ada", cancel))
        using (var minjun = await SignedInAsync(dure, "minjun", cancel))
        {
            await DeployAsync(dure, cancel);
            await StoreAsync(dure, cancel);
            await RunAsync([grace, ada, minjun], cancel);
        }
        await SettleAsync(dure, cancel);
        await dure.KillAsync();
        await SpreadAsync(Path.Combine(dure.Data, "dure.db"), cancel);
        await dure.StartAgainAsync(cancel);
        var night = (await dure.GetAsync("/api/invocations?function=qc-report&limit=50", cancel))["items"]!.AsArray();
        var failed = night.First(run => (string)run!["state"]! == "FAILED")!;
        var before = night.Last(run => (string)run!["state"]! == "SUCCESS")!;
        using var owner = await SignedInAsync(dure, "ada", cancel);
        var under = await SubmitAsync(owner, "reduce-frames", """{"night": "2026-11-24", "frames": 2400}""", cancel);
        for (var n = 0; n < 3; n++)
            await SubmitAsync(owner, "fit-spectrum", $$"""{"spectrum": "cs137-{{n}}", "wait": 240}""", cancel);
        await Task.Delay(TimeSpan.FromSeconds(25), cancel);
        return new(dure, under, (string)failed["id"]!, (string)before["id"]!);
    }

    private static async Task DeployAsync(RunningDure dure, CancellationToken cancel)
    {
        await dure.DeployAsync("fit-spectrum", cancel, ("handler.py", LabSources.Fit), ("function.yaml", "memory: 256MiB\nconcurrency: 1\ninstances: 2\n"));
        await dure.DeployAsync("fit-spectrum", cancel, ("handler.py", LabSources.Fit.Replace("gauss", "voigt", StringComparison.Ordinal)), ("function.yaml", "memory: 256MiB\nconcurrency: 1\ninstances: 2\n"));
        await dure.DeployAsync("reduce-frames", cancel, ("handler.py", LabSources.Reduce), ("calibration.py", LabSources.Calibration), ("function.yaml", "memory: 1GiB\n"));
        await dure.DeployAsync("qc-report", cancel, ("handler.py", LabSources.Report), ("function.yaml", "schedule: \"0 3 * * *\"\nretries: 1\n"));
        await dure.DeployAsync("thumbnail", cancel, ("index.mjs", LabSources.Thumbnail));
        await dure.DeployAsync("parse-log", cancel, ("parse.py", LabSources.Parse), ("function.yaml", "runtime: python\nhandler: parse.handler\n"));
        await dure.DeployAsync("webhook-relay", cancel, ("index.mjs", LabSources.Relay), ("function.yaml", "schedule: \"*/30 * * * *\"\n"));
        await dure.DeployAsync("fit-spectrum", cancel, ("handler.py", LabSources.Fit.Replace("gauss", "pearson7", StringComparison.Ordinal)), ("function.yaml", "memory: 256MiB\nconcurrency: 1\ninstances: 2\n"));
        var versions = (await dure.GetAsync("/api/functions/fit-spectrum/versions", cancel))["items"]!.AsArray();
        await dure.SendAsync(HttpMethod.Put, "/api/functions/fit-spectrum/live", cancel,
            $$$"""{"version":"{{{versions[1]!["version"]}}}","canary":{"version":"{{{versions[0]!["version"]}}}","percent":10}}""");
        await dure.SendAsync(HttpMethod.Put, "/api/secrets/ARCHIVE_KEY", cancel, """{"value":"not shown"}""");
        await dure.SendAsync(HttpMethod.Put, "/api/secrets/SLACK_HOOK", cancel, """{"value":"not shown"}""");
        await dure.SendAsync(HttpMethod.Post, "/api/tokens", cancel, """{"name":"ci","scopes":["invoke"]}""");
        await dure.SendAsync(HttpMethod.Put, "/api/functions/fit-spectrum/test-events/caesium", cancel, """{"spectrum": "cs137-7"}""");
    }

    private static async Task StoreAsync(RunningDure dure, CancellationToken cancel)
    {
        var folder = Directory.CreateDirectory(Path.Combine(dure.Data, "pictures")).FullName;
        foreach (var (bucket, path, bytes) in new[]
        {
            ("spectra", "2026-11/cs137.csv", 48_211), ("spectra", "2026-11/co60.csv", 51_902), ("spectra", "2026-11/background.csv", 12_408), ("spectra", "README.md", 812),
            ("spectra", "calibration/energy.json", 2_204), ("frames", "2026-11-24/dark-0001.fits", 2_104_000), ("frames", "2026-11-24/flat-0001.fits", 2_104_000), ("papers", "draft-3.pdf", 812_004),
        })
        {
            var file = Path.Combine(folder, Path.GetFileName(path));
            await File.WriteAllBytesAsync(file, new byte[bytes], cancel);
            if (!(await SmallLab.CommandAsync(dure, cancel, "bucket", "list")).Contains(bucket, StringComparison.Ordinal))
                await SmallLab.CommandAsync(dure, cancel, "bucket", "create", bucket);
            await SmallLab.CommandAsync(dure, cancel, "cp", file, $"s3://{bucket}/{path}");
        }
        Directory.Delete(folder, recursive: true);
    }

    private static async Task RunAsync(HttpClient[] people, CancellationToken cancel)
    {
        var chance = new Random(7);
        for (var n = 0; n < 320; n++)
        {
            var who = people[chance.Next(people.Length)];
            await (chance.Next(9) switch
            {
                0 or 1 or 2 => SubmitAsync(who, "fit-spectrum", $$"""{"spectrum": "cs137-{{n}}", "bad": {{(chance.Next(11) == 0 ? "true" : "false")}}}""", cancel),
                3 or 4 => SubmitAsync(who, "thumbnail", $$"""{"image": "plate-{{n}}.png"}""", cancel),
                5 => SubmitAsync(who, "parse-log", $$"""{"line": {{n}}, "bad": {{(chance.Next(6) == 0 ? "true" : "false")}}}""", cancel),
                6 => SubmitAsync(who, "webhook-relay", "{}", cancel),
                7 when n % 40 < 4 => SubmitAsync(who, "qc-report", $$"""{"night": {{n}}, "beam": {{(n > 200 && n < 260 ? "false" : "true")}}}""", cancel),
                _ => SubmitAsync(who, "thumbnail", $$"""{"image": "gel-{{n}}.png"}""", cancel),
            });
        }
        await SubmitAsync(people[0], "qc-report", """{"night": 1, "beam": true}""", cancel);
        await SubmitAsync(people[0], "qc-report", """{"night": 24, "beam": false}""", cancel);
        for (var n = 0; n < 30; n++)
            await SubmitAsync(people[n % people.Length], "thumbnail", $$"""{"image": "plate-{{n}}.png"}""", cancel);
    }

    private static Task SettleAsync(RunningDure dure, CancellationToken cancel) => RunningDure.UntilAsync(
        () => dure.GetAsync("/api/invocations?state=PENDING,PROCESSING&limit=1", cancel), list => list["items"]!.AsArray().Count == 0, cancel);

    // What ran within a minute is laid over the last day, in its order, so that the pictures show a day.
    private static async Task SpreadAsync(string path, CancellationToken cancel)
    {
        await using var database = await SqliteDatabase.OpenAsync(path, cancel);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        await database.WriteAsync(async s =>
        {
            var runs = await s.QueryAsync("SELECT id, created_at FROM invocations ORDER BY id", r => (Id: r.GetInt64(0), At: r.GetInt64(1)));
            foreach (var (number, run) in runs.Index())
            {
                var share = 1 - ((number + 1.0) / (runs.Count + 1));
                // More by day than by night.
                var ago = TimeSpan.FromHours((23.5 * share) + (0.9 * Math.Sin(share * 12))).TotalMilliseconds;
                var shift = (long)(now - Math.Max(ago, 60_000) - run.At);
                await s.ExecuteAsync("UPDATE invocations SET created_at = created_at + $1, attempt_started_at = attempt_started_at + $1, attempt_finished_at = attempt_finished_at + $1, started_at = started_at + $1, finished_at = finished_at + $1 WHERE id = $2", shift, run.Id);
                await s.ExecuteAsync("UPDATE attempts SET started_at = started_at + $1, finished_at = finished_at + $1 WHERE invocation_id = $2", shift, run.Id);
            }
            return runs.Count;
        }, cancel: cancel);
    }

    private static async Task<HttpClient> SignedInAsync(RunningDure dure, string name, CancellationToken cancel)
    {
        var link = await PortalPage.LinkAsync(dure, name);
        var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, CookieContainer = new() }) { BaseAddress = dure.Http.BaseAddress };
        using var answer = await http.PostAsJsonAsync(new Uri("/api/session/link", UriKind.Relative), new { code = link.Split("#link=")[1] }, cancel);
        answer.EnsureSuccessStatusCode();
        var session = JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancel))!;
        http.DefaultRequestHeaders.Add("Dure-Csrf", (string)session["csrf"]!);
        return http;
    }

    private static async Task<string> SubmitAsync(HttpClient who, string function, string body, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, string.Create(CultureInfo.InvariantCulture, $"/api/functions/{function}/invocations")) { Content = new StringContent(body) };
        request.Headers.Add("Prefer", "respond-async");
        using var answer = await who.SendAsync(request, cancel);
        answer.EnsureSuccessStatusCode();
        return (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancel))!["id"]!;
    }
}
