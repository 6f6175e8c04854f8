using Dure.Host.Identity;
using Xunit;

namespace Dure.Test.Host.Identity;

public sealed class PasswordHashTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void A_password_is_hashed_with_argon2id_and_the_figures_of_owasp_where_the_library_is()
    {
        if (!PasswordHash.HasArgon)
            Assert.Skip("libargon2.so.1 is not installed.");
        var hash = PasswordHash.Make("correct horse battery");
        Assert.StartsWith("$argon2id$v=19$m=19456,t=2,p=1$", hash, StringComparison.Ordinal);
        Assert.NotEqual(hash, PasswordHash.Make("correct horse battery"));
        Assert.True(PasswordHash.Verify(hash, "correct horse battery"));
        Assert.False(PasswordHash.Verify(hash, "correct horse battery "));
        Assert.False(PasswordHash.Verify(hash, ""));
        Assert.False(PasswordHash.IsWeak(hash));
        Assert.True(PasswordHash.IsWeak(hash.Replace("m=19456", "m=1024", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_hash_that_another_program_made_is_verified()
    {
        if (!PasswordHash.HasArgon)
            Assert.Skip("libargon2.so.1 is not installed.");
        // echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1, from the reference implementation's own tests.
        const string known = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        Assert.True(PasswordHash.Verify(known, "password"));
        Assert.False(PasswordHash.Verify(known, "passwore"));
    }

    [Fact]
    public void Without_the_library_it_is_pbkdf2_with_the_figures_of_owasp()
    {
        var hash = PasswordHash.MakePbkdf2("correct horse battery");
        Assert.StartsWith("$pbkdf2-sha256$i=600000$", hash, StringComparison.Ordinal);
        Assert.True(PasswordHash.Verify(hash, "correct horse battery"));
        Assert.False(PasswordHash.Verify(hash, "correct horse batterz"));
        Assert.Equal(PasswordHash.HasArgon, PasswordHash.IsWeak(hash));
    }

    [Fact]
    public async Task Nobody_and_somebody_without_a_password_are_refused_after_as_much_work()
    {
        using var work = new PasswordWork();
        Assert.False((await work.VerifyAsync(null, "correct horse battery", Cancel)).Value);
        var hash = (await work.HashAsync("correct horse battery", Cancel)).Value;
        var (known, unknown) = (TimeSpan.MaxValue, TimeSpan.MaxValue);
        for (var i = 0; i < 5; i++)
        {
            known = Min(known, await TookAsync(() => work.VerifyAsync(hash, "wrong", Cancel)));
            unknown = Min(unknown, await TookAsync(() => work.VerifyAsync(null, "wrong", Cancel)));
        }
        Assert.True(unknown > known / 3 && known > unknown / 3, $"{known} for a name that is known, {unknown} for one that is not");
    }

    [Fact]
    public async Task More_than_a_few_at_once_are_turned_away()
    {
        using var work = new PasswordWork();
        var hash = (await work.HashAsync("correct horse battery", Cancel)).Value;
        var all = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => work.VerifyAsync(hash, "correct horse battery", Cancel)));
        Assert.Contains(all, one => one.Ok && one.Value);
        Assert.Contains(all, one => one.Problem?.Kind == SigninErrors.TooManyTries);
        Assert.True((await work.VerifyAsync(hash, "correct horse battery", Cancel)).Value);
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static async Task<TimeSpan> TookAsync(Func<Task> work)
    {
        var begun = TimeProvider.System.GetTimestamp();
        await work();
        return TimeProvider.System.GetElapsedTime(begun);
    }
}
