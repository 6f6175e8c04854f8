using System.Diagnostics;
using System.Formats.Tar;

namespace Dure.Host.Ssh;

/// <summary>Sends a folder or a file to a machine as a tar stream over one session.</summary>
internal static class TreeCopy
{
    /// <returns>Null when all of it is there.</returns>
    public static async Task<Problem?> SendAsync(SshTarget target, string source, string path, CancellationToken cancel)
    {
        var take = $"set -e; rm -rf {Shell.Word(path)}; " + (File.Exists(source)
            ? $"mkdir -p $(dirname {Shell.Word(path)}); cat >{Shell.Word(path)}; chmod 755 {Shell.Word(path)}"
            : $"mkdir -p {Shell.Word(path)}; tar --no-same-owner -xf - -C {Shell.Word(path)}") + "; sync";
        using var ssh = Process.Start(target.Client(SshTarget.AsRoot($"sh -c {Shell.Word(take)}")))!;
        var complaint = ssh.StandardError.ReadToEndAsync(cancel);
        try
        {
            var stream = ssh.StandardInput.BaseStream;
            if (File.Exists(source))
            {
                await using var file = File.OpenRead(source);
                await file.CopyToAsync(stream, cancel);
            }
            else
            {
                await TarFile.CreateFromDirectoryAsync(source, stream, includeBaseDirectory: false, cancel);
            }

            ssh.StandardInput.Close();
        }
        catch (IOException)
        {
            // The reason is on standard error.
        }

        await ssh.WaitForExitAsync(cancel);
        return ssh.ExitCode == 0 ? null : SshErrors.SessionLost.With($"{target.Machine}: {path} did not arrive: {(await complaint).Trim()}");
    }
}
