using System.Net;
using System.Text.Json;
using Dure.Host;
using Dure.Host.Configuration;
using Dure.Host.Data;
using Dure.Host.Identity;
using Dure.Host.Live;
using Dure.Host.Secrets;
using Dure.Storage.Providers;
using Dure.Test.Host.Identity;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Storage.Providers;

/// <summary><c>dure storage test</c> and the API below it, and how providers are opened.</summary>
public sealed class ProviderTestTest(Azurite azurite) : IClassFixture<Azurite>, IDisposable
{
    private static readonly string[] Steps =
        ["put", "head", "get", "range", "list", "copy", "conditional put", "multipart", "download", "pre-signed GET", "pre-signed PUT", "CORS", "delete"];

    private readonly Scratch _scratch = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task A_folder_passes_but_for_what_folders_lack_and_nothing_stays()
    {
        await using var folder = new FolderObjects(Folder("disk"), TimeProvider.System);
        var steps = await RunAsync(folder);
        Assert.Equal(Steps, steps.Select(step => step.Step));
        Assert.All(steps, step => Assert.Equal(step.Step is "CORS" || step.Step.StartsWith("pre-signed", StringComparison.Ordinal) ? "skipped" : "ok", step.State));
        Assert.Empty((await folder.ListAsync("", null, 10, Cancel)).Value.Objects);
    }

    [Fact]
    public async Task A_cloud_passes_and_its_speed_is_told()
    {
        await using var cloud = new AzureObjects(azurite.Options with { Prefix = "test of a test/" }, Azurite.Credentials, TimeProvider.System);
        var steps = await RunAsync(cloud);
        Assert.All(steps, step => Assert.True(step.State == (step.Step is "CORS" ? "skipped" : "ok"), step.ToString()));
        Assert.Matches("^[0-9.]+ MB/s", steps.Single(step => step.Step is "multipart").Detail!);
        Assert.Empty((await cloud.ListAsync("", null, 10, Cancel)).Value.Objects);
    }

    [Fact]
    public async Task All_steps_are_reported_of_a_provider_that_is_not_there()
    {
        await using var folder = new FolderObjects(Folder("gone") with { Path = _scratch["gone"] }, TimeProvider.System);
        var steps = await RunAsync(folder);
        Assert.Equal(Steps, steps.Select(step => step.Step));
        Assert.Equal(["put", "delete"], steps.Where(step => step.State is "failed").Select(step => step.Step));
        Assert.All(steps.Where(step => step.State is "skipped"), step => Assert.Contains("cannot be reached", step.Detail, StringComparison.Ordinal));
    }

    [Fact]
    public void The_rule_that_comes_nearest_says_what_is_missing()
    {
        Assert.Empty(CorsNeeds.Missing([new([], [], [], [], null), CorsNeeds.Rule]));
        Assert.Equal(["method PUT", "exposed header ETag"], CorsNeeds.Missing([CorsNeeds.Rule with { Methods = ["GET", "HEAD"], ExposeHeaders = [] }, new([], [], [], [], null)]));
        Assert.Contains("an origin, such as *", CorsNeeds.Missing([]));
    }

    [Fact]
    public async Task The_api_lists_providers_without_credentials_and_tests_them_line_by_line()
    {
        await using var opened = await OpenSecretsAsync();
        await using var providers = new ProviderSet(new StorageOptions([Folder("disk"), azurite.Options with { SecretKeySecret = "CLOUD_KEY" }]), opened.Secrets, TimeProvider.System);
        await using var server = await ApiServer.StartAsync(_ => new Caller("ada", Scopes.Admin | Scopes.Read), gate => ProvidersApi.Map(gate, providers, TimeProvider.System));
        var client = server.Client("token");
        using var list = JsonDocument.Parse(await client.GetStringAsync("/api/storage/providers", Cancel));
        Assert.Equal(["disk", "cloud"], list.RootElement.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("name").GetString()!));
        using var tested = await client.PostAsync("/api/storage/providers/disk/test", null, Cancel);
        Assert.Equal("application/x-ndjson", tested.Content.Headers.ContentType?.MediaType);
        var lines = (await tested.Content.ReadAsStringAsync(Cancel)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Steps, lines.Select(line => JsonSerializer.Deserialize(line, ProvidersJson.Default.ProviderTestStep)!.Step));
        using var unknown = await client.PostAsync("/api/storage/providers/other/test", null, Cancel);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        using var without = await client.PostAsync("/api/storage/providers/cloud/test", null, Cancel);
        Assert.Contains("dure secrets set CLOUD_KEY", await without.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_that_is_rotated_holds_from_the_next_call_on()
    {
        await using var opened = await OpenSecretsAsync();
        await using var providers = new ProviderSet(new StorageOptions([azurite.Options with { SecretKeySecret = "CLOUD_KEY" }]), opened.Secrets, TimeProvider.System, _ => null);
        await opened.Secrets.SetAsync("CLOUD_KEY", Convert.ToBase64String(new byte[32]), "ada", Cancel);
        var before = (await providers.OpenAsync("cloud", Cancel)).Value;
        Assert.Same(before, (await providers.OpenAsync("cloud", Cancel)).Value);
        Assert.Equal(ProviderErrors.Refused, (await before.ListAsync("", null, 1, Cancel)).Problem?.Kind);
        await opened.Secrets.SetAsync("CLOUD_KEY", Azurite.Credentials.SecretKey, "ada", Cancel);
        Assert.True((await (await providers.OpenAsync("cloud", Cancel)).Value.ListAsync("", null, 1, Cancel)).Ok);
    }

    [Fact]
    public async Task The_environment_wins_over_the_secret_store()
    {
        await using var opened = await OpenSecretsAsync();
        await using var providers = new ProviderSet(new StorageOptions([azurite.Options with { SecretKeySecret = "CLOUD_KEY" }]), opened.Secrets, TimeProvider.System,
            name => name is "DURE_STORAGE_CLOUD_SECRET_KEY" ? Azurite.Credentials.SecretKey : null);
        Assert.True((await (await providers.OpenAsync("cloud", Cancel)).Value.ListAsync("", null, 1, Cancel)).Ok);
    }

    private ProviderOptions Folder(string name) => new(name, "folder") { Path = _scratch.Path };

    private static async Task<List<ProviderTestStep>> RunAsync(IObjects objects)
    {
        var steps = new List<ProviderTestStep>();
        await foreach (var step in new ProviderTest(objects, TimeProvider.System, throughputBytes: 12 << 20).RunAsync(Cancel))
        {
            steps.Add(step);
        }

        return steps;
    }

    private async Task<OpenedSecrets> OpenSecretsAsync()
    {
        var folder = Directory.CreateDirectory(_scratch[Path.GetRandomFileName()]).FullName;
        var database = await SqliteDatabase.OpenAsync(Path.Combine(folder, "dure.db"), Cancel);
        Assert.True((await Migrations.ApplyAsync(database, TimeProvider.System, Cancel)).Ok);
        return new(database, SecretStore.Open(database, new InProcessLive(), TimeProvider.System, folder).Value);
    }

    private sealed record OpenedSecrets(Database Database, SecretStore Secrets) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Database.DisposeAsync();
    }
}
