using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dure.Host.Identity;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Host.Identity;

/// <summary>Who may what, over every endpoint that the running server's document tells of.</summary>
[Trait("speed", "slow")]
public sealed partial class RolesTest
{
    /// <summary>Reached by anybody.</summary>
    private static readonly string[] Open =
    [
        "get /api/health", "get /openapi.json", "get /errors/{id}", "get /api/session", "post /api/session", "post /api/session/link", "delete /api/session",
        "get /api/session/oidc/{name}/start", "get /api/session/oidc/{name}/callback",
        // A browser comes there to be sent on to sign in; the other sends back what it gets, and nothing else.
        "get /api/apps/{id}/enter", "get /api/health/socket",
    ];

    /// <summary>What owners alone look at and change.</summary>
    private static readonly string[] ForOwners =
    [
        "post /api/stop", "get /api/people", "post /api/people", "patch /api/people/{name}", "delete /api/people/{name}", "delete /api/people/{name}/sessions", "post /api/people/{name}/link",
        "get /api/audit", "get /api/storage/keys", "post /api/storage/keys", "delete /api/storage/keys/{id}", "get /api/backups", "post /api/backups", "post /api/retention",
        "post /api/storage/verify", "post /api/storage/repair", "post /api/storage/restore", "post /api/storage/providers/{name}/test",
    ];

    /// <summary>Changes that a viewer makes, each of which is one's own only.</summary>
    private static readonly string[] OfOnesOwn =
    [
        "post /api/tokens", "delete /api/tokens/{id}", "delete /api/sessions", "delete /api/sessions/{id}", "put /api/people/{name}/password", "post /api/storage/session",
        "post /api/notifications/read", "post /api/notifications/rules", "delete /api/notifications/rules/{id}", "post /api/notifications/test",
        "post /api/notifications/watches", "delete /api/notifications/watches/{id}",
        // To read, that is; one to write takes the scope deploy, which the endpoint sees to.
        "post /api/storage/buckets/{name}/link",
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task Nobody_reaches_more_than_their_role_allows()
    {
        using var scratch = new Scratch();
        await using var dure = await RunningDure.StartAsync(scratch["data"], Cancel);
        foreach (var name in new[] { "viewer", "member" })
        {
            var (made, problem) = await dure.SendAsync(HttpMethod.Post, "/api/people", Cancel, $$"""{"name":"{{name}}","role":"{{name}}","password":"{{SigninServer.Password}}"}""");
            Assert.True(made == HttpStatusCode.Created, $"{problem}");
        }
        var document = await dure.GetAsync("/openapi.json", Cancel);
        var endpoints = document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(operation => (Method: operation.Key, Path: path.Key))).ToList();
        Assert.Empty(Open.Concat(ForOwners).Concat(OfOnesOwn).Except(endpoints.Select(endpoint => $"{endpoint.Method} {endpoint.Path}"), StringComparer.Ordinal));
        var faults = new List<string>();
        foreach (var (method, pattern) in endpoints)
        {
            var name = $"{method} {pattern}";
            var nobody = await TryAsync(dure, null, method, pattern);
            if (Open.Contains(name, StringComparer.Ordinal))
            {
                if (nobody == "DURE0007")
                    faults.Add($"{name}: nobody is told {nobody}");
                continue;
            }
            if (nobody != "DURE0006")
                faults.Add($"{name}: nobody is told {nobody}");
            var (viewer, member) = (await TryAsync(dure, "viewer", method, pattern), await TryAsync(dure, "member", method, pattern));
            if (ForOwners.Contains(name, StringComparer.Ordinal) && (viewer != "DURE0007" || member != "DURE0007"))
                faults.Add($"{name}: a viewer is told {viewer}, a member {member}; it is for owners");
            if (method is not "get" && !OfOnesOwn.Contains(name, StringComparer.Ordinal) && viewer != "DURE0007")
                faults.Add($"{name}: a viewer is told {viewer}; viewers change nothing");
            if (viewer != "DURE0007" && member == "DURE0007")
                faults.Add($"{name}: a viewer may, a member may not");
        }
        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    /// <summary>The problem that a person with this role is told; the status when it is none.</summary>
    private static async Task<string> TryAsync(RunningDure dure, string? role, string method, string pattern)
    {
        // Every try is a session of its own: some of them end it.
        using var browser = new Browser(dure.Http.BaseAddress!);
        if (role is not null)
        {
            // Not by the password, which is slow on purpose.
            var (_, link) = await dure.SendAsync(HttpMethod.Post, $"/api/people/{role}/link", Cancel);
            var (status, body) = await browser.TakeLinkAsync(((string)link!["url"]!).Split("#link=")[1]);
            Assert.True(status == HttpStatusCode.OK, $"{body}");
        }
        var path = Part().Replace(pattern, "none").Replace("/{*", "/", StringComparison.Ordinal);
        using var content = method is "get" or "head" ? null : new StringContent("{}", System.Text.Encoding.UTF8, "application/json");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var answer = await browser.RequestAsync(new HttpMethod(method.ToUpperInvariant()), new Uri(dure.Http.BaseAddress!, path), content);
        return answer.Content.Headers.ContentType?.MediaType == "application/problem+json"
            ? (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync(limit.Token))!["id"]! : $"{(int)answer.StatusCode}";
    }

    [GeneratedRegex(@"\{[^}]*\}", RegexOptions.None, 1000)]
    private static partial Regex Part();
}
