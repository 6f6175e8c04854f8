using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Mail;
using System.Text;
using Dure.Functions.Callbacks;
using Dure.Host;
using Dure.Host.Configuration;
using Dure.Host.Web;

namespace Dure.Portal.Notifications;

/// <summary>Carries one message through one channel, once. Addresses are called as those of callbacks are: no redirects, no proxy, signed.</summary>
internal sealed class Courier : IDisposable
{
    private const int ErrorLengthMax = 500;

    private readonly NotifyOptions _options;
    private readonly NotifyText _text;
    private readonly CallbackKey _key;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly HookClient _http;

    /// <param name="timeout">How long a receiver may take.</param>
    public Courier(NotifyOptions options, NotifyText text, CallbackKey key, TimeSpan timeout, TimeProvider time)
    {
        (_options, _text, _key, _timeout, _time) = (options, text, key, timeout, time);
        _http = new HookClient(timeout);
    }

    /// <summary>Whether e-mail can be sent.</summary>
    public bool SendsEmail => _options.SmtpHost is not null && _options.SmtpFrom is not null;

    /// <summary>Sends once.</summary>
    /// <param name="delivery">1 for the first.</param>
    /// <returns>Null when it was taken, else what went wrong.</returns>
    public async Task<string?> SendAsync(NotifyMessage message, string channel, string target, int delivery, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(_timeout);
        try
        {
            return channel switch
            {
                "email" => await MailAsync(message, target, delivery, limit.Token),
                "slack" => await PostAsync(message, target, _text.Slack(message, delivery), delivery, limit.Token),
                _ => await PostAsync(message, target, _text.Webhook(message, delivery), delivery, limit.Token),
            };
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return $"no answer within {_timeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s";
        }
        catch (Exception error) when (error is HttpRequestException or IOException or UriFormatException or InvalidOperationException or SmtpException or FormatException or UnauthorizedAccessException)
        {
            var why = error.InnerException is { } inner && error is SmtpException ? $"{error.Message} {inner.Message}" : error.Message;
            return why.Length > ErrorLengthMax ? why[..ErrorLengthMax] : why;
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<string?> PostAsync(NotifyMessage message, string target, byte[] body, int delivery, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, target);
        request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        request.Headers.Add("Dure-Signature", _key.Sign(_time.GetUtcNow(), body));
        request.Headers.Add("Dure-Notification", message.Id);
        request.Headers.Add("Dure-Delivery-Attempt", delivery.ToString(CultureInfo.InvariantCulture));
        using var response = await _http.SendAsync(request, cancel);
        var status = (int)response.StatusCode;
        return status is >= 200 and < 300 ? null : status is >= 300 and < 400 ? $"HTTP {status}: redirects are not followed" : $"HTTP {status}";
    }

    private async Task<string?> MailAsync(NotifyMessage message, string target, int delivery, CancellationToken cancel)
    {
        if (!SendsEmail)
            return "this server sends no e-mail: notify.smtp_host and notify.smtp_from are not set";
        using var mail = new MailMessage(_options.SmtpFrom!, target)
        {
            // Nothing of it may become a header of its own.
            Subject = string.Concat(NotifyText.Title(message).Select(static letter => char.IsControl(letter) ? ' ' : letter)),
            SubjectEncoding = Encoding.UTF8,
            Body = _text.Body(message, delivery),
            BodyEncoding = Encoding.UTF8,
            BodyTransferEncoding = System.Net.Mime.TransferEncoding.QuotedPrintable,
        };
        // The same for every delivery of the same message: mail programs show it once.
        mail.Headers.Add("Message-ID", $"<{message.Id}@{_options.SmtpFrom!.Split('@')[^1].TrimEnd('>')}>");
        mail.Headers.Add("Auto-Submitted", "auto-generated");
        mail.Headers.Add("Dure-Delivery-Attempt", delivery.ToString(CultureInfo.InvariantCulture));
        using var smtp = new SmtpClient(_options.SmtpHost!, _options.SmtpPort) { EnableSsl = _options.SmtpTls };
        if (_options.SmtpUser is { } user)
        {
            var password = _options.SmtpPasswordFile is { } file ? (await File.ReadAllTextAsync(file, cancel)).Trim() : "";
            smtp.Credentials = new NetworkCredential(user, password);
        }
        // Not SendMailAsync: sockets of this process go on on the thread that waits for all of them (OnPool), and the client's last words wait for
        // an answer there, for ever. Mail is rare enough for a pool thread of its own, which is free when the client is disposed of.
        await Task.Run(() => smtp.Send(mail), cancel).WaitAsync(cancel);
        return null;
    }
}
