using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Dure.Host.Texts;

namespace Dure.Edge.Certificates;

/// <summary>The certificate that an address shows, seen by asking it.</summary>
/// <param name="Host">Who was asked, with the port.</param>
/// <param name="ExpiresAt">Null when nobody showed one.</param>
/// <param name="Issuer">Its name, as people write it; null when nobody showed one.</param>
/// <param name="Fault">Why browsers do not take it, or why none was seen; null when they take it.</param>
/// <param name="SeenAt">When it was asked.</param>
public sealed record ServedCertificate(string Host, DateTimeOffset? ExpiresAt, string? Issuer, string? Fault, DateTimeOffset SeenAt)
{
    /// <summary>From here on a certificate that is not renewed is a warning: certbot renews 30 days before the end.</summary>
    public static readonly TimeSpan WarnBefore = TimeSpan.FromDays(21);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Whole days until it expires; less than 0 once it has.</summary>
    public int? DaysLeft => ExpiresAt is { } end ? (int)Math.Floor((end - SeenAt).TotalDays) : null;

    /// <summary>Whether nothing has to be done yet.</summary>
    public bool Ok => Fault is null && ExpiresAt - SeenAt > WarnBefore;

    /// <summary>In words.</summary>
    public string Said => (ExpiresAt, Fault) switch
    {
        (null, { } fault) => $"{Host} shows none: {fault}",
        ({ } end, _) => FormattableString.Invariant($"{DaysLeft} days, until {end:yyyy-MM-dd}, from {Issuer}{(Fault is null ? "" : $"; browsers refuse it: {Fault}")}"),
        _ => $"{Host} shows none",
    };

    /// <summary>How whoever is asked at an address is called, with the port.</summary>
    public static string Where(Uri address) => FormattableString.Invariant($"{Authority.Host(address.DnsSafeHost)}:{address.Port}");

    /// <summary>Asks an address over TLS.</summary>
    [SuppressMessage("Security", "CA5359", Justification = "What is wrong with a certificate is what is asked here; nothing is sent.")]
    public static async Task<ServedCertificate> LookAsync(Uri address, TimeProvider time, CancellationToken cancel)
    {
        DateTimeOffset? expires = null;
        string? issuer = null, fault = null;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Patience);
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(address.DnsSafeHost, address.Port, patience.Token);
            await using var stream = new NetworkStream(socket);
            await using var tls = new SslStream(stream, leaveInnerStreamOpen: true);
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = address.DnsSafeHost,
                RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                {
                    var shown = certificate as X509Certificate2;
                    (expires, issuer) = (shown?.NotAfter.ToUniversalTime(), shown?.GetNameInfo(X509NameType.SimpleName, forIssuer: true));
                    fault = Wrong(errors, chain, address.DnsSafeHost);
                    return true;
                },
            }, patience.Token);
        }
        catch (Exception failed) when (failed is SocketException or IOException or AuthenticationException || (failed is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            fault ??= failed is OperationCanceledException ? FormattableString.Invariant($"no answer within {Patience.TotalSeconds} s") : failed.Message;
        }

        return new(Where(address), expires, issuer, fault, time.GetUtcNow());
    }

    private static string? Wrong(SslPolicyErrors errors, X509Chain? chain, string host) =>
        errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? $"it is not for {host}"
        : errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) ? string.Join(", ", chain?.ChainStatus.Select(status => status.StatusInformation.TrimEnd('.', ' ', '\n')).Distinct(StringComparer.Ordinal) ?? [])
        : null;
}
