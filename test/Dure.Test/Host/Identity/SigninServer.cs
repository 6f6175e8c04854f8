using System.Collections.Concurrent;
using Dure.Host;
using Dure.Host.Configuration;
using Dure.Host.Identity;
using Dure.Host.Secrets;
using Dure.Host.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Dure.Test.Host.Identity;

/// <summary>A real server on a loopback port with everything of identity, a clock that the test sets, and some doors of each scope.</summary>
internal sealed class SigninServer : IAsyncDisposable
{
    public const string Password = "correct horse battery";

    private readonly StoredData _data;
    private readonly WebApplication _app;
    private readonly ILoggerFactory _loggers;
    private readonly List<IDisposable> _ended = [];
    private bool _isBeside;

    private SigninServer(StoredData data, WebApplication app, IdentityRole identity, SecretStore secrets, ILoggerFactory loggers, Lines log) =>
        (_data, _app, Identity, Secrets, _loggers, Log) = (data, app, identity, secrets, loggers, log);

    public IdentityRole Identity { get; }

    public SecretStore Secrets { get; }

    public StoredData Data => _data;

    public Processes.SetClock Clock => _data.Clock;

    public Uri Url => new(_app.Urls.Single());

    /// <summary>Everything that was logged.</summary>
    public Lines Log { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<SigninServer> StartAsync(Func<SigninOptions, SigninOptions>? change = null, DateTimeOffset? now = null)
    {
        var data = await StoredData.OpenAsync();
        data.Clock.Now = now ?? data.Clock.Now;
        return await StartAsync(data, change);
    }

    /// <summary>Another server on the same database, as in a cluster.</summary>
    public async Task<SigninServer> StartBesideAsync(Func<SigninOptions, SigninOptions>? change = null)
    {
        var beside = await StartAsync(_data, change);
        beside._isBeside = true;
        return beside;
    }

    public Browser Browser()
    {
        var browser = new Browser(Url);
        _ended.Add(browser);
        return browser;
    }

    /// <summary>Makes an account with the tests' password.</summary>
    public async Task AddAsync(string name, Role role)
    {
        var hash = await Identity.Passwords.HashAsync(Password, Cancel);
        Assert.True((await Identity.People.AddAsync(new Person(name, name, role, null, true, null, null, default, null), hash.Value, Cancel)).Ok);
    }

    /// <summary>A browser in which somebody is signed in.</summary>
    public async Task<Browser> SignInAsync(string name)
    {
        var browser = Browser();
        var (status, body) = await browser.SignInAsync(name, Password);
        Assert.True(status == System.Net.HttpStatusCode.OK, body?.ToString());
        return browser;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var one in _ended)
            one.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        Identity.Dispose();
        _loggers.Dispose();
        if (!_isBeside)
            await _data.DisposeAsync();
    }

    private static async Task<SigninServer> StartAsync(StoredData data, Func<SigninOptions, SigninOptions>? change)
    {
        var log = new Lines();
        var loggers = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Trace).AddProvider(log));
        var options = DureOptions.Defaults(data.Folder);
        options = options with { Signin = change?.Invoke(options.Signin) ?? options.Signin };
        var secrets = SecretStore.Open(data.Database, data.Live, data.Clock, data.Folder).Value;
        var host = new HostServices(options, data.Database, null!, data.Live, secrets, loggers, data.Clock, () => null, default);
        var identity = await IdentityRole.OpenAsync(host, Cancel);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Trace).AddProvider(log);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.UseRouting();
        var gate = identity.Door(app);
        identity.Map(gate);
        foreach (var (scope, path) in new[] { (Scopes.Read, "/read"), (Scopes.Invoke, "/invoke"), (Scopes.Deploy, "/deploy"), (Scopes.Admin, "/admin") })
        {
            gate.Map("GET", path, scope, http => http.Response.WriteAsync(http.Caller().Name));
            gate.Map("POST", path + "/{what}", scope, http => http.Response.WriteAsync(http.Caller().Name));
        }
        gate.Map("POST", "/broken/{what}", Scopes.Read, _ => throw new InvalidOperationException("This endpoint is broken."));
        gate.Map("POST", "/calls/{what}", Scopes.Invoke, http => http.Response.WriteAsync("called"), audited: false);
        await app.StartAsync(Cancel);
        return new SigninServer(data, app, identity, secrets, loggers, log);
    }

    /// <summary>Keeps what is logged.</summary>
    internal sealed class Lines : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public string Text => string.Join('\n', _lines);

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
