using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Portal.Source;

/// <summary>The portal speaks to the API with the types that the server's own document gives.</summary>
public sealed class TypesTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 240_000)]
    public async Task The_types_are_those_of_the_servers_document()
    {
        using var scratch = new Scratch();
        await using (var dure = await RunningDure.StartAsync(scratch["data"], Cancel))
            await File.WriteAllTextAsync(scratch["openapi.json"], await dure.Http.GetStringAsync(new Uri("/openapi.json", UriKind.Relative), Cancel), Cancel);
        var (code, text) = await WebSource.NodeAsync(Cancel, "scripts/types.mjs", scratch["openapi.json"], scratch["schema.d.ts"]);
        Assert.True(code == 0, text);
        var committed = await File.ReadAllTextAsync(Path.Combine(WebSource.Root, "src", "lib", "schema.d.ts"), Cancel);
        Assert.True(await File.ReadAllTextAsync(scratch["schema.d.ts"], Cancel) == committed, "web/src/lib/schema.d.ts is older than the API: run `npm run types` in web/ and commit it.");
    }

    [Fact(Timeout = 240_000)]
    public async Task The_portal_is_right_in_its_types()
    {
        var (code, text) = await WebSource.NodeAsync(Cancel, "node_modules/typescript/bin/tsc", "--noEmit");
        Assert.True(code == 0, text);
    }
}
