using Dure.Fleet.Drill.Clients;
using Xunit;

namespace Dure.Test.Fleet.Drill;

public sealed class MariaConnectionTest
{
    [Fact]
    public void A_password_is_proved_as_the_server_checks_it()
    {
        // The server keeps SHA1(SHA1(password)). It takes our answer, removes SHA1(salt + what it keeps), and what is left must hash to what it keeps.
        byte[] salt = [.. Enumerable.Range(1, 20).Select(n => (byte)n)];
        var kept = System.Security.Cryptography.SHA1.HashData(System.Security.Cryptography.SHA1.HashData("secret"u8));
        Assert.Equal("14E65567ABDB5135D0CFD9A70B3032C179A49EE7", Convert.ToHexString(kept));
        Assert.Equal(kept, Proved(MariaConnection.Answer("secret", salt)));
        Assert.NotEqual(kept, Proved(MariaConnection.Answer("Secret", salt)));
        Assert.Empty(MariaConnection.Answer("", salt));

        byte[] Proved(byte[] answer) => System.Security.Cryptography.SHA1.HashData([.. answer.Zip(System.Security.Cryptography.SHA1.HashData([.. salt, .. kept]), (a, b) => (byte)(a ^ b))]);
    }
}
