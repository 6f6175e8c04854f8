using Xunit;

namespace Dure.Test.Apps;

/// <summary>Certificates between machines, where systemd keeps the time.</summary>
public sealed partial class TwoMachinesTest
{
    private const string Earlier = """
        import datetime, json
        path = "/etc/dure/ca/issued.json"
        book = json.load(open(path))
        for key in "issued_at", "expires_at":
            book[0][key] = (datetime.datetime.fromisoformat(book[0][key]) - datetime.timedelta(days=61)).isoformat()
        json.dump(book, open(path, "w"))
        """;

    [Fact(Timeout = 300_000)]
    public async Task A_timer_of_systemd_gives_a_certificate_anew_whose_time_has_come_and_tells_who_uses_it()
    {
        lab.OrSkip();
        await lab.GoodAsync("gpu", "dure cert ca init --names lab.internal");
        await lab.GoodAsync("gpu", "dure cert ca issue gpu.lab.internal --into /srv/tls --reload 'echo told >>/srv/tls/told'");
        var first = await SerialAsync();
        await lab.GoodAsync("gpu", "dure cert ca renew --timer");
        Assert.Equal("enabled\nactive", await lab.GoodAsync("gpu", "systemctl is-enabled dure-cert-ca.timer; systemctl is-active dure-cert-ca.timer"));
        Assert.Contains("dure-cert-ca.service", await lab.GoodAsync("gpu", "systemctl list-timers --no-pager"), StringComparison.Ordinal);
        await lab.GoodAsync("gpu", "systemctl start dure-cert-ca.service");
        Assert.Equal(first, await SerialAsync());

        // Given 61 days ago, as far as the authority remembers.
        await File.WriteAllTextAsync(lab.Inside("gpu", "/srv/earlier.py"), Earlier, Cancel);
        await lab.GoodAsync("gpu", "python3 /srv/earlier.py; rm /srv/earlier.py");
        await lab.GoodAsync("gpu", "systemctl start dure-cert-ca.service");
        Assert.NotEqual(first, await SerialAsync());
        Assert.Equal("told\ntold", await lab.GoodAsync("gpu", "cat /srv/tls/told"));
        Assert.Contains("OK", await lab.GoodAsync("gpu", "openssl verify -CAfile /srv/tls/root.pem /srv/tls/gpu.lab.internal.pem"), StringComparison.Ordinal);
        await lab.GoodAsync("gpu", "systemctl disable --quiet --now dure-cert-ca.timer; rm -r /etc/systemd/system/dure-cert-ca.* /etc/dure/ca /etc/dure/age.key /srv/tls; systemctl daemon-reload");
    }

    private Task<string> SerialAsync() => lab.GoodAsync("gpu", "openssl x509 -noout -serial -in /srv/tls/gpu.lab.internal.pem");
}
