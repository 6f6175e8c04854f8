using Amazon.Runtime;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Storage.Signing;

namespace Dure.Storage.Commands;

/// <summary>Keys for Dure's own store that the server makes for the caller; made anew before they end.</summary>
internal sealed class SessionKeys : RefreshingAWSCredentials
{
    private static readonly TimeSpan RenewBefore = TimeSpan.FromMinutes(5);
    private readonly DureClient _client;
    private CreatedAccessKeyView? _first;

    public SessionKeys(DureClient client, CreatedAccessKeyView first)
    {
        (_client, _first) = (client, first);
        PreemptExpiryTime = RenewBefore;
    }

    public static Task<Outcome<CreatedAccessKeyView>> MakeAsync(DureClient client, CancellationToken cancel) =>
        client.SendAsync(HttpMethod.Post, "/api/storage/session", null, KeyJson.Default.CreatedAccessKeyView, cancel);

    protected override async Task<CredentialsRefreshState> GenerateNewCredentialsAsync()
    {
        if (Interlocked.Exchange(ref _first, null) is { } first)
        {
            return State(first);
        }

        var renewed = await MakeAsync(_client, CancellationToken.None);
        return renewed.Ok ? State(renewed.Value) : throw new AmazonClientException($"{renewed.Problem.Kind.Title}: {renewed.Problem.Detail}");
    }

    private static CredentialsRefreshState State(CreatedAccessKeyView keys) =>
        new(new ImmutableCredentials(keys.AccessKeyId, keys.SecretAccessKey, null), (keys.ExpiresAt ?? DateTimeOffset.MaxValue.AddDays(-1)).UtcDateTime);
}
