using System.CommandLine;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Storage.Signing;

/// <summary><c>dure storage key</c>: who may use the store through S3 tools.</summary>
internal static class KeyCommands
{
    private static readonly Argument<string> User = new("user") { Description = "Who owns what is made with it." };
    private static readonly Argument<string> Id = new("id") { Description = "As `dure storage key list` shows it." };

    private static readonly Option<string[]> Scope = new Option<string[]>("--scope")
    {
        Description = "What it may do: read, write, buckets or admin; may be given often.",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => ["read", "write", "buckets"],
    }.AcceptOnlyFromAmong("read", "write", "buckets", "admin");

    private static readonly Option<string[]> Bucket = new("--bucket")
    {
        Description = "The only bucket it may touch; may be given often. Without, all that its user may use.",
        AllowMultipleArgumentsPerToken = true,
        HelpName = "BUCKET",
    };

    private static readonly Option<int?> ExpiresInDays = new("--expires-in-days") { Description = "Days until it ends; without, it does not.", HelpName = "DAYS" };

    /// <summary>The verb <c>key</c>.</summary>
    public static Verb Make() => new Verb("key", "Make, list and revoke access keys for S3 tools.").With(MakeCreate(), MakeList(), MakeRevoke());

    private static Verb MakeCreate() =>
        new Verb("create", "Make an access key and print it, once.",
            ("dure storage key create ada", "for a person who reads and writes"),
            ("dure storage key create ci --scope read --bucket models --expires-in-days 90", "for a pipeline that reads one bucket"))
        .With(User, Scope, Bucket, ExpiresInDays)
        .Calls(async (call, client, cancel) =>
        {
            var request = new CreateAccessKeyRequest(call.Get(User)!, call.Get(Scope)!, call.Get(Bucket), call.Get(ExpiresInDays));
            var body = DureClient.Json(request, KeyJson.Default.CreateAccessKeyRequest);
            var created = await client.SendAsync(HttpMethod.Post, "/api/storage/keys", body, KeyJson.Default.CreatedAccessKeyView, cancel);
            if (!created.Ok)
            {
                return created.Problem;
            }

            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(created.Value, KeyJson.Default.CreatedAccessKeyView);
            }
            else
            {
                call.Screen.Line("AWS_ACCESS_KEY_ID=" + created.Value.AccessKeyId);
                call.Screen.Line("AWS_SECRET_ACCESS_KEY=" + created.Value.SecretAccessKey);
                call.Screen.Line("AWS_ENDPOINT_URL_S3=" + created.Value.Endpoint);
                call.Screen.Line("AWS_REGION=" + created.Value.Region);
                call.Screen.Note("Keep it now: the secret is not shown again. S3 tools read these variables.");
            }

            return ExitCodes.Ok;
        });

    private static Verb MakeList() =>
        new Verb("list", "List the access keys, without their secrets.", ("dure storage key list", "who may use the store"))
        .Alias("ls")
        .Calls(async (call, client, cancel) =>
        {
            var keys = await client.ListAsync("/api/storage/keys", int.MaxValue, KeyJson.Default.PageViewAccessKeyView, cancel);
            if (!keys.Ok)
            {
                return keys.Problem;
            }

            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(keys.Value, KeyJson.Default.IReadOnlyListAccessKeyView);
                return ExitCodes.Ok;
            }

            call.Screen.Table(
                [new("id"), new("user", 12), new("scopes", 12), new("buckets", 12), new("created"), new("expires")],
                [.. keys.Value.Select(key => (IReadOnlyList<string>)
                [
                    key.Id, key.User, string.Join(' ', key.Scopes), key.Buckets.Count > 0 ? string.Join(' ', key.Buckets) : "all",
                    Phrase.Ago(key.CreatedAt, call.Time), Phrase.Ago(key.ExpiresAt, call.Time),
                ])]);
            return ExitCodes.Ok;
        });

    private static Verb MakeRevoke() =>
        new Verb("revoke", "End an access key at once.", ("dure storage key revoke DUREEXAMPLE234567ABC", "pre-signed addresses made with it end too"))
        .With(Id)
        .Calls(async (call, client, cancel) =>
        {
            var revoked = await client.SendAsync(HttpMethod.Delete, "/api/storage/keys/" + Uri.EscapeDataString(call.Get(Id)!), null, cancel);
            if (!revoked.Ok)
            {
                return revoked.Problem;
            }

            call.Screen.Say($"Access key {call.Get(Id)} is revoked.");
            return ExitCodes.Ok;
        });
}
