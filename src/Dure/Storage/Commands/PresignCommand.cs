using System.CommandLine;
using Amazon.S3;
using Amazon.S3.Model;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;
using Dure.Host.Terminal;

namespace Dure.Storage.Commands;

/// <summary><c>dure presign</c>: an address that needs no keys.</summary>
internal static class PresignCommand
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    private static readonly Argument<string> Where = new Argument<string>("address") { Description = "s3://BUCKET/KEY." }.CompletedByStore();

    private static readonly Option<string> Method = new Option<string>("--method") { Description = "GET to read, PUT to write.", HelpName = "GET|PUT", DefaultValueFactory = _ => "GET" }
        .AcceptOnlyFromAmong("GET", "PUT");

    private static readonly Option<string> Expires = new("--expires") { Description = "How long it may be used, 7d at most.", HelpName = "TIME", DefaultValueFactory = _ => "1h" };

    static PresignCommand() => Expires.Validators.Add(result =>
    {
        var span = Units.ReadDuration(result.GetValueOrDefault<string>() ?? "");
        if (span.Error is not null || span.Value < TimeSpan.FromSeconds(1) || span.Value > Longest)
        {
            result.AddError($"--expires: {span.Error ?? "expected 1s to 7d"}.");
        }
    });

    public static Verb Make() => StoreConnection.Calls(
        new Verb("presign", "Print an address by which whoever has it may read or write one object for a while.",
            ("dure presign s3://lab/fig.png", "anyone with it may read fig.png for an hour"),
            ("dure presign s3://lab/in.csv --method PUT --expires 2d", "and write in.csv: curl -T in.csv ADDRESS"))
        .With(Where, Method, Expires),
        RunAsync, call => call.Get(Where));

    private static async Task<Outcome<int>> RunAsync(Call call, StoreConnection store, CancellationToken cancel)
    {
        var parsed = S3Address.Parse(call.Get(Where)!);
        if (!parsed.Ok)
        {
            return parsed.Problem;
        }

        if (parsed.Value.Key.Length == 0)
        {
            return TransferErrors.BadAddress.With($"{parsed.Value} is a bucket: an address is for one object.");
        }

        var ends = call.Time.GetUtcNow() + Units.ReadDuration(call.Get(Expires)!).Value;
        if (ends > store.KeysEndAt)
        {
            return CommandErrors.Usage.With($"The keys of this session end at {store.KeysEndAt:u}, and what they sign with them. For longer, make a key with `dure storage key create`"
                + " and give it as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY with --endpoint.");
        }

        var url = await store.S3.GetPreSignedURLAsync(new GetPreSignedUrlRequest
        {
            BucketName = parsed.Value.Bucket,
            Key = parsed.Value.Key,
            Verb = call.Get(Method) == "PUT" ? HttpVerb.PUT : HttpVerb.GET,
            Expires = ends.UtcDateTime,
            Protocol = store.Endpoint.Scheme == "http" ? Protocol.HTTP : Protocol.HTTPS,
        });
        if (call.Screen.Format == OutputFormat.Json)
        {
            call.Screen.Json(new PresignedAddress(url, call.Get(Method)!, ends), TransferJson.Default.PresignedAddress);
        }
        else
        {
            call.Screen.Line(url);
        }

        return ExitCodes.Ok;
    }
}
