using System.CommandLine;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;
using Dure.Storage.S3;

namespace Dure.Storage.Commands;

/// <summary><c>dure bucket policy</c> and <c>dure bucket cors</c>: who may use a bucket, and from which web pages.</summary>
internal static class BucketDocuments
{
    private static readonly Argument<string?> Policy = new("policy") { Description = "private, public-read, or a file with a policy in JSON; without, it is shown.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string?> Cors = new("file") { Description = "A CORS configuration in XML or JSON, as S3 takes it; without, it is shown.", Arity = ArgumentArity.ZeroOrOne };

    private static readonly Option<string[]> AllowOrigin = new("--allow-origin")
    {
        Description = "Pages of this origin may read and write: GET, HEAD, PUT, every header, and ETag is shown to them. May be given often.", HelpName = "URL", AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<bool> Remove = new("--remove") { Description = "Take it away." };

    public static Verb MakePolicy() =>
        new Verb("policy", "Show or set who may use a bucket without being its owner.",
            ("dure bucket policy lab", "shows it"),
            ("dure bucket policy figures public-read", "everyone may read, without a key"),
            ("dure bucket policy lab policy.json", "a bucket policy as S3 has it"))
        .With(BucketCommands.Name, Policy, Remove)
        .Calls(async (call, client, cancel) =>
        {
            var name = call.Get(BucketCommands.Name)!;
            if (call.Get(Policy) is not { } policy)
            {
                return call.Get(Remove)
                    ? await ChangeAsync(call, client, name, new BucketRequest(Policy: ""), "has no policy any more", cancel)
                    : await ShowAsync(call, client, name, bucket => bucket.Policy, bucket => $"{bucket.Name} is {bucket.Acl ?? "private"}; it has no policy document.", cancel);
            }

            if (policy is "private" or "public-read")
            {
                return await ChangeAsync(call, client, name, new BucketRequest(Acl: policy), $"is {policy} now", cancel);
            }

            var text = await ReadAsync(policy, cancel);
            return text.Ok ? await ChangeAsync(call, client, name, new BucketRequest(Policy: text.Value), "has this policy now", cancel) : text.Problem;
        });

    public static Verb MakeCors() =>
        new Verb("cors", "Show or set which web pages may use a bucket.",
            ("dure bucket cors lab --allow-origin https://lab.example.org", "pages there may read and upload"),
            ("dure bucket cors lab cors.xml", "a configuration as S3 has it; JSON too"),
            ("dure bucket cors lab --remove", "no page may, any more"))
        .With(BucketCommands.Name, Cors, AllowOrigin, Remove)
        .Calls(async (call, client, cancel) =>
        {
            var (name, file, origins) = (call.Get(BucketCommands.Name)!, call.Get(Cors), call.Get(AllowOrigin) ?? []);
            if ((file is null ? 0 : 1) + (origins.Length > 0 ? 1 : 0) + (call.Get(Remove) ? 1 : 0) > 1)
            {
                return CommandErrors.Usage.With("Give one of a file, --allow-origin and --remove.");
            }

            if (call.Get(Remove))
            {
                return await ChangeAsync(call, client, name, new BucketRequest(Cors: ""), "has no CORS configuration any more", cancel);
            }

            if (origins.Length > 0)
            {
                return await ChangeAsync(call, client, name, new BucketRequest(Cors: CorsDocument.For(origins)), $"may be used by pages of {string.Join(", ", origins)} now", cancel);
            }

            if (file is null)
            {
                return await ShowAsync(call, client, name, bucket => bucket.Cors, bucket => $"{bucket.Name} has no CORS configuration: no page of another origin may use it.", cancel);
            }

            var text = await ReadAsync(file, cancel);
            var document = text.Ok ? CorsDocument.Read(text.Value) : text.Problem;
            return document.Ok ? await ChangeAsync(call, client, name, new BucketRequest(Cors: document.Value), "has this CORS configuration now", cancel) : document.Problem;
        });

    private static async Task<Outcome<string>> ReadAsync(string file, CancellationToken cancel)
    {
        try
        {
            return await File.ReadAllTextAsync(file, cancel);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return TransferErrors.LocalFile.With(failure.Message);
        }
    }

    private static async Task<Outcome<int>> ChangeAsync(Call call, DureClient client, string name, BucketRequest settings, string done, CancellationToken cancel)
    {
        var changed = await BucketCommands.ChangeAsync(client, name, settings, cancel);
        if (changed.Ok)
        {
            call.Screen.Say($"Bucket {name} {done}.");
        }

        return changed.Ok ? ExitCodes.Ok : changed.Problem;
    }

    private static async Task<Outcome<int>> ShowAsync(Call call, DureClient client, string name, Func<BucketView, string?> document, Func<BucketView, string> otherwise, CancellationToken cancel)
    {
        var found = await BucketCommands.FindAsync(client, name, cancel);
        if (!found.Ok)
        {
            return found.Problem;
        }

        if (call.Screen.Format == OutputFormat.Json)
        {
            call.Screen.Json(found.Value, TransferJson.Default.BucketView);
        }
        else if (document(found.Value) is { Length: > 0 } text)
        {
            call.Screen.Line(text.TrimEnd());
        }
        else
        {
            call.Screen.Say(otherwise(found.Value));
        }

        return ExitCodes.Ok;
    }
}
