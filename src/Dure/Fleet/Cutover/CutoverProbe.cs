using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Dure.Fleet.Check;

namespace Dure.Fleet.Cutover;

/// <summary>Asks as clients do: by name, by address, over HTTP and TLS. Certificates are looked at and not judged here.</summary>
internal sealed class CutoverProbe : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);
    private readonly HttpClient _http;
    private readonly TimeProvider _time;

    public CutoverProbe(TimeProvider time)
    {
        _time = time;
        // A connection for each request: what a new client would see. Redirects are answers too.
        _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, PooledConnectionLifetime = TimeSpan.Zero, ConnectTimeout = Patience }) { Timeout = Patience };
    }

    public void Dispose() => _http.Dispose();

    /// <summary>One request to an address, for a name.</summary>
    /// <param name="host">The name that is asked for; empty asks for the address.</param>
    public async Task<Answered> AskAsync(Uri url, string host, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        if (host.Length > 0)
            request.Headers.Host = host;
        try
        {
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
            return new(url.ToString(), (int)answer.StatusCode, "");
        }
        catch (Exception failure) when (failure is HttpRequestException || (failure is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return new(url.ToString(), null, failure is HttpRequestException ? failure.Message : Words.Text($"no answer within {Patience.TotalSeconds} s"));
        }
    }

    /// <summary>Where a name leads, as this machine sees it; empty when it leads nowhere.</summary>
    public static async Task<IReadOnlyList<IPAddress>> ResolveAsync(string name, CancellationToken cancel)
    {
        try
        {
            return [.. (await Dns.GetHostAddressesAsync(name, cancel)).Distinct()];
        }
        catch (SocketException)
        {
            return [];
        }
    }

    /// <summary>The certificate that is shown for a name; null when none is.</summary>
    public static async Task<ShownCertificate?> CertificateAsync(IPAddress address, string name, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(address, 443, limit.Token);
            await using var stream = new SslStream(new NetworkStream(socket));
            // It is read whoever signed it, and the step says what is wrong with it. Nothing is sent over this connection.
            var faults = SslPolicyErrors.None;
            await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = name,
                RemoteCertificateValidationCallback = (_, certificate, _, found) =>
                {
                    faults = found;
                    return certificate is not null;
                },
            }, limit.Token);
            using var shown = new X509Certificate2(stream.RemoteCertificate!);
            var names = shown.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(extension => extension.EnumerateDnsNames()).ToList();
            return new(
                new($"{address}:443", names.Count > 0 ? names : [shown.GetNameInfo(X509NameType.DnsName, false)], shown.NotAfter.ToUniversalTime()),
                faults.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? $"is not for {name}" : faults != SslPolicyErrors.None ? "nobody whom this machine trusts has signed it, or it has ended" : null);
        }
        catch (Exception failure) when (failure is SocketException or IOException or System.Security.Authentication.AuthenticationException || (failure is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return null;
        }
    }

    /// <summary>Asks again and again, five times a second at most. Interrupted, it says what it saw until then.</summary>
    public async Task<Watched> WatchAsync(Uri url, TimeSpan span, Action<Watched> told, CancellationToken cancel)
    {
        var began = _time.GetTimestamp();
        var seen = new Watched(TimeSpan.Zero, 0, 0, 0, null);
        while (_time.GetElapsedTime(began) < span && !cancel.IsCancellationRequested)
        {
            var at = _time.GetTimestamp();
            try
            {
                var answer = await AskAsync(url, "", cancel);
                var took = _time.GetElapsedTime(at);
                seen = new(_time.GetElapsedTime(began), seen.Sent + 1, seen.Failed + (answer.Serves ? 0 : 1), answer.Serves ? Math.Max(seen.LongestMs, took.TotalMilliseconds) : seen.LongestMs, answer.Serves ? seen.LastFailure : answer.ToString());
                told(seen);
                if (Pace - took is { Ticks: > 0 } pause)
                    await Task.Delay(pause, _time, cancel);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        return seen;
    }
}
