using System.CommandLine;
using Dure.Host.Commands;
using Dure.Host.Configuration;

namespace Dure.Functions.Commands;

/// <summary>Completes the names of functions and the ids of invocations from the server, as long as it answers at once.</summary>
internal static class NameCompletion
{
    private const int InvocationsMax = 30;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(700);

    /// <summary>System.CommandLine asks for completions synchronously, so the names are fetched before it is asked.</summary>
    private static IReadOnlyList<string> s_fetched = [];

    public static Argument<string> CompletedByServer(this Argument<string> argument)
    {
        argument.CompletionSources.Add(_ => s_fetched);
        return argument;
    }

    /// <summary>Fetches the names that this line may need; none when the server does not answer at once.</summary>
    public static async Task FetchAsync(ParseResult parsed, CancellationToken cancel)
    {
        var arguments = parsed.CommandResult.Command.Arguments;
        var wantsInvocations = arguments.Contains(InvocationCommands.Id);
        var endpoint = ServerEndpoint.Find(parsed.GetValue(GlobalOptions.Url), parsed.GetValue(GlobalOptions.Token), new Call(parsed).Sources());
        if (!endpoint.Ok || !(wantsInvocations || arguments.Contains(FunctionCommands.Name)))
        {
            return;
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Patience);
        using var client = new DureClient(endpoint.Value);
        try
        {
            s_fetched = wantsInvocations
                ? [.. (await client.ListAsync("/api/invocations", InvocationsMax, CommandJson.Default.PageViewInvocationView, patience.Token)).OrEmpty().Select(found => found.Id)]
                : [.. (await client.ListAsync("/api/functions", int.MaxValue, CommandJson.Default.PageViewFunctionView, patience.Token)).OrEmpty().Select(found => found.Name)];
        }
        catch (OperationCanceledException)
        {
            s_fetched = [];
        }
    }

    private static IReadOnlyList<T> OrEmpty<T>(this Host.Outcome<IReadOnlyList<T>> found) => found.Ok ? found.Value : [];
}
