using Dure.Test.Processes;

namespace Dure.Test.Storage.Providers;

/// <summary>The npm packages of <c>test/clients</c>, installed once when a test first needs them.</summary>
internal static class ClientPackages
{
    private static readonly SemaphoreSlim Turn = new(1);

    /// <summary>The folder, with its <c>node_modules</c> as the lock file says.</summary>
    public static async Task<string> FolderAsync(CancellationToken cancel)
    {
        var folder = Path.Combine(Repository.Root, "test", "clients");
        var wanted = await File.ReadAllTextAsync(Path.Combine(folder, "package-lock.json"), cancel);
        var mark = Path.Combine(folder, "node_modules", ".lock-of-clients");
        if (IsInstalled(mark, wanted))
        {
            return folder;
        }

        await Turn.WaitAsync(cancel);
        try
        {
            await using var only = await LockAsync(Path.Combine(Path.GetTempPath(), "dure-test-clients.lock"), cancel);
            if (!IsInstalled(mark, wanted))
            {
                var (code, text) = await Child.RunAsync(cancel, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder);
                if (code != 0)
                {
                    throw new InvalidOperationException($"npm ci in test/clients ended with {code}: {text}");
                }

                await File.WriteAllTextAsync(mark, wanted, cancel);
            }
        }
        finally
        {
            Turn.Release();
        }

        return folder;
    }

    private static bool IsInstalled(string mark, string wanted) => File.Exists(mark) && File.ReadAllText(mark) == wanted;

    // Another test process may install at the same time.
    private static async Task<FileStream> LockAsync(string path, CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await Task.Delay(200, cancel);
            }
        }
    }
}
