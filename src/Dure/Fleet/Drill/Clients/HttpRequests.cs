using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Dure.Fleet.Drill.Clients;

/// <summary>Requests through the virtual address, each over a connection of its own, as from people who come for the first time.</summary>
[SuppressMessage("Security", "CA5359", Justification = "A drill measures who answers; whose name the certificate has is for check to say.")]
internal sealed class HttpRequests(string tier, Uri address, TimeProvider time) : DrillClient(tier, TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(2), time)
{
    private readonly HttpClient _http = new(NewConnections());

    /// <summary>A connection for each request. Who answers is measured; whose name the certificate has is for <c>dure check</c> to say.</summary>
    public static SocketsHttpHandler NewConnections() => new()
    {
        PooledConnectionLifetime = TimeSpan.Zero,
        ConnectTimeout = TimeSpan.FromSeconds(1),
        UseProxy = false,
        AllowAutoRedirect = false,
        SslOptions = { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
    };

    public override string What => $"GET {address}";

    protected override bool Overlaps => true;

    protected override ValueTask EndAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    protected override async Task<string?> SendAsync(long id, CancellationToken cancel)
    {
        using var answer = await _http.GetAsync(address, cancel);
        return answer.StatusCode == HttpStatusCode.OK ? null : string.Create(CultureInfo.InvariantCulture, $"HTTP {(int)answer.StatusCode}");
    }
}
