using Amazon.Runtime;
using Dure.Host;
using Dure.Host.Commands;

namespace Dure.Storage.Commands;

/// <summary>Keys for Dure's own store that the server makes for the caller; made anew before they end.</summary>
internal sealed class SessionKeys : RefreshingAWSCredentials
{
    private static readonly TimeSpan RenewBefore = TimeSpan.FromMinutes(5);
    private readonly DureClient _client;
    private SessionView? _first;

    public SessionKeys(DureClient client, SessionView first)
    {
        (_client, _first) = (client, first);
        PreemptExpiryTime = RenewBefore;
    }

    public static Task<Outcome<SessionView>> MakeAsync(DureClient client, TimeSpan? valid, CancellationToken cancel) => client.SendAsync(
        HttpMethod.Post, "/api/storage/session", DureClient.Json(new SessionRequest(valid is { } span ? (long)span.TotalSeconds : null), TransferJson.Default.SessionRequest),
        TransferJson.Default.SessionView, cancel);

    protected override async Task<CredentialsRefreshState> GenerateNewCredentialsAsync()
    {
        if (Interlocked.Exchange(ref _first, null) is { } first)
        {
            return State(first);
        }

        var renewed = await MakeAsync(_client, null, CancellationToken.None);
        return renewed.Ok ? State(renewed.Value) : throw new AmazonClientException($"{renewed.Problem.Kind.Title}: {renewed.Problem.Detail}");
    }

    private static CredentialsRefreshState State(SessionView keys) =>
        new(new ImmutableCredentials(keys.AccessKey, keys.SecretKey, null), (keys.ExpiresAt ?? DateTimeOffset.MaxValue.AddDays(-1)).UtcDateTime);
}
