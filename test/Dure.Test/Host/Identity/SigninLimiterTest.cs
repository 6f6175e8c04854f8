using System.Net;
using Dure.Host.Identity;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Host.Identity;

public sealed class SigninLimiterTest
{
    private readonly SetClock _clock = new();
    private readonly SigninLimiter _limiter;

    public SigninLimiterTest() => _limiter = new SigninLimiter(_clock);

    [Fact]
    public void Each_failure_of_a_name_doubles_the_wait_up_to_five_minutes()
    {
        var waits = new List<int>();
        for (var i = 0; i < 16; i++)
        {
            var wait = _limiter.Begin("ada", "10.0.0." + i);
            waits.Add((int)(wait ?? TimeSpan.Zero).TotalSeconds);
            if (wait is null)
                continue;
            _clock.Now += wait.Value;
            Assert.Null(_limiter.Begin("ada", "10.0.1." + i));
        }
        Assert.Equal([0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300], waits);
    }

    [Fact]
    public void An_address_that_tries_many_names_waits_and_another_does_not()
    {
        for (var i = 0; i < 20; i++)
            Assert.Null(_limiter.Begin("name" + i, "10.0.0.1"));
        Assert.NotNull(_limiter.Begin("other", "10.0.0.1"));
        Assert.Null(_limiter.Begin("other", "10.0.0.2"));
    }

    [Fact]
    public void Whoever_is_right_begins_anew_and_an_hour_forgets()
    {
        for (var i = 0; i < 5; i++)
            _limiter.Begin("ada", "10.0.0.1");
        Assert.NotNull(_limiter.Begin("ada", "10.0.0.1"));
        _clock.Now += TimeSpan.FromSeconds(2);
        Assert.Null(_limiter.Begin("ada", "10.0.0.1"));
        _limiter.Succeeded("ada", "10.0.0.1");
        Assert.Null(_limiter.Begin("ada", "10.0.0.1"));
        for (var i = 0; i < 3; i++)
            _limiter.Begin("ada", "10.0.0.1");
        _clock.Now += TimeSpan.FromHours(1);
        for (var i = 0; i < 4; i++)
            Assert.Null(_limiter.Begin("ada", "10.0.0.1"));
    }

    [Fact]
    public void However_many_names_are_tried_memory_stays_bounded()
    {
        for (var i = 0; i < 60_000; i++)
            _limiter.Begin("name" + i, "10.0." + (i / 250) + "." + (i % 250));
        Assert.Null(_limiter.Begin("ada", "192.0.2.1"));
    }

    [Fact]
    public async Task Guessing_a_password_is_answered_429_with_how_long_to_wait_and_the_right_one_waits_too()
    {
        await using var server = await SigninServer.StartAsync();
        await server.AddAsync("ada", Role.Member);
        await server.AddAsync("grace", Role.Member);
        var browser = server.Browser();
        for (var i = 0; i < 5; i++)
            Assert.Equal(HttpStatusCode.Unauthorized, (await browser.SignInAsync("ada", "wrong wrong " + i)).Status);
        using var body = new StringContent($$"""{"name":"ada","password":"{{SigninServer.Password}}"}""", System.Text.Encoding.UTF8, "application/json");
        using var refused = await browser.RequestAsync(HttpMethod.Post, new Uri(server.Url, "/api/session"), body);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter!.Delta);
        Assert.Equal(HttpStatusCode.OK, (await browser.SignInAsync("grace", SigninServer.Password)).Status);
        server.Clock.Now += TimeSpan.FromSeconds(1);
        Assert.Equal(HttpStatusCode.OK, (await browser.SignInAsync("ada", SigninServer.Password)).Status);
    }

    [Fact]
    public async Task Many_guesses_at_once_are_no_way_around()
    {
        await using var server = await SigninServer.StartAsync();
        await server.AddAsync("ada", Role.Member);
        var all = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => server.Browser().SignInAsync("ada", "wrong wrong " + i)));
        Assert.InRange(all.Count(answer => answer.Status == HttpStatusCode.Unauthorized), 1, 5);
        Assert.All(all, answer => Assert.True(answer.Status is HttpStatusCode.Unauthorized or HttpStatusCode.TooManyRequests, $"{answer.Status}"));
    }
}
