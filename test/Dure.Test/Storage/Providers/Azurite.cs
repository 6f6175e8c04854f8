using Dure.Host.Configuration;
using Dure.Storage.Providers;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Storage.Providers;

/// <summary>A real server that speaks Azure's protocol, on loopback, with a container, for the tests of a class.</summary>
public sealed class Azurite : IAsyncLifetime
{
    private const string Account = "dureaccount";

    private static readonly string Key = Convert.ToBase64String("not a secret, but thirty-two byte"u8);

    private Child? _server;
    private Uri? _endpoint;

    /// <summary>How a provider reaches it.</summary>
    public ProviderOptions Options => new("cloud", "azure") { Endpoint = _endpoint, Account = Account, Bucket = "results", PartSize = 5 << 20, Timeout = TimeSpan.FromSeconds(20) };

    /// <summary>Its account's key.</summary>
    public static ProviderCredentials Credentials => new("", Key);

    public async ValueTask InitializeAsync()
    {
        var folder = await ClientPackages.FolderAsync(CancellationToken.None);
        _server = Child.Start("env", $"AZURITE_ACCOUNTS={Account}:{Key}", "node", Path.Combine(folder, "node_modules/azurite/dist/src/blob/main.js"),
            "--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry");
        const string says = "successfully listens on ";
        for (var lines = 1; _endpoint is null; lines++)
        {
            await _server.LinesAsync(lines, TestContext.Current.CancellationToken);
            if (_server.Lines.FirstOrDefault(line => line.Contains(says, StringComparison.Ordinal)) is { } line)
            {
                _endpoint = new Uri(line[(line.IndexOf(says, StringComparison.Ordinal) + says.Length)..].Trim() + "/" + Account);
            }
        }

        using var connection = new AzureConnection(Options, Credentials, TimeProvider.System);
        var made = await connection.CallAsync("make the container", _ => new HttpRequestMessage(HttpMethod.Put, connection.At("", "restype=container")),
            (_, _) => Task.FromResult(true), CancellationToken.None);
        Assert.True(made.Ok, made.Problem?.Detail);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}
