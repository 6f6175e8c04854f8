using System.CommandLine;
using Dure.Host.Commands;

namespace Dure.Storage.Commands;

/// <summary>Names of buckets for the shell's completion.</summary>
internal static class StoreCompletion
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(700);
    private static readonly HashSet<Argument> Addresses = [];
    private static readonly HashSet<Argument> Names = [];

    /// <summary>System.CommandLine asks for completions synchronously, so the names are fetched before it is asked.</summary>
    private static IReadOnlyList<string> s_fetched = [];

    /// <summary>The argument is an address: buckets are offered as <c>s3://name/</c>.</summary>
    public static Argument<string> CompletedByStore(this Argument<string> argument)
    {
        Addresses.Add(argument);
        argument.CompletionSources.Add(_ => s_fetched.Select(name => $"{S3Address.Scheme}{name}/"));
        return argument;
    }

    /// <summary>The argument is the name of a bucket.</summary>
    public static Argument<string> CompletedByBuckets(this Argument<string> argument)
    {
        Names.Add(argument);
        argument.CompletionSources.Add(_ => s_fetched);
        return argument;
    }

    /// <summary>Fetches the names that this line may need; none when the server does not answer at once.</summary>
    public static async Task FetchAsync(ParseResult parsed, CancellationToken cancel)
    {
        if (!parsed.CommandResult.Command.Arguments.Any(argument => Addresses.Contains(argument) || Names.Contains(argument)))
        {
            return;
        }

        var endpoint = ServerEndpoint.Find(parsed.GetValue(GlobalOptions.Url), parsed.GetValue(GlobalOptions.Token), new Call(parsed).Sources());
        if (!endpoint.Ok)
        {
            return;
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Patience);
        using var client = new DureClient(endpoint.Value);
        try
        {
            var found = await BucketCommands.ListAsync(client, patience.Token);
            s_fetched = found.Ok ? [.. found.Value.Select(bucket => bucket.Name)] : [];
        }
        catch (OperationCanceledException)
        {
            s_fetched = [];
        }
    }
}
