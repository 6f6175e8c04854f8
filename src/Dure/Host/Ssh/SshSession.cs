using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Dure.Host.Ssh;

/// <summary>
/// One shell of root on a machine, over one OpenSSH session. Scripts are streamed to it one after another, and each is run only once all of it has arrived, so a
/// connection that breaks never runs half a script's text.
/// </summary>
internal sealed class SshSession : IAsyncDisposable
{
    private readonly SshTarget _target;
    private readonly Process _ssh;
    private readonly Task<string> _complaints;
    private bool _reached;

    private SshSession(SshTarget target, Process ssh)
    {
        (_target, _ssh) = (target, ssh);
        _complaints = ReadComplaintsAsync(ssh.StandardError);
    }

    /// <summary>Starts the client; whether the machine answers is known with the first script.</summary>
    public static Outcome<SshSession> Open(SshTarget target)
    {
        var start = target.Client(SshTarget.AsRoot("sh"));
        start.StandardInputEncoding = new UTF8Encoding(false);
        start.StandardOutputEncoding = Encoding.UTF8;
        try
        {
            return new SshSession(target, Process.Start(start)!);
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            return SshErrors.Unreachable.With($"ssh cannot be started: {missing.Message}. Install openssh-client.");
        }
    }

    /// <summary>Runs one script over a session of its own.</summary>
    /// <returns>Its exit code and what it printed; the same problems as of <see cref="RunAsync"/>.</returns>
    public static async Task<Outcome<(int Code, List<string> Lines)>> OnceAsync(SshTarget target, string script, CancellationToken cancel)
    {
        var opened = Open(target);
        if (!opened.Ok)
            return opened.Problem;
        await using var session = opened.Value;
        var lines = new List<string>();
        var ran = await session.RunAsync(script, lines.Add, cancel);
        return ran.Ok ? (ran.Value, lines) : ran.Problem;
    }

    /// <summary>Runs a script and gives its exit code; each line that it prints is told as it comes.</summary>
    /// <returns>The exit code; DURE0804 when the machine was never reached, DURE0805 when the session broke, DURE0806 when root is refused.</returns>
    public async Task<Outcome<int>> RunAsync(string script, Action<string> told, CancellationToken cancel)
    {
        var mark = "dure-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        try
        {
            await _ssh.StandardInput.WriteAsync($"(\n{script}\n) </dev/null\nprintf '\\n%s %s\\n' {mark} \"$?\"\n".AsMemory(), cancel);
            await _ssh.StandardInput.FlushAsync(cancel);
        }
        catch (IOException)
        {
            return await LostAsync(cancel);
        }

        while (await _ssh.StandardOutput.ReadLineAsync(cancel) is { } line)
        {
            _reached = true;
            if (line.StartsWith(mark, StringComparison.Ordinal))
                return int.Parse(line.AsSpan(mark.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture);
            if (line.Length > 0)
                told(line);
        }

        return await LostAsync(cancel);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            _ssh.StandardInput.Close();
        }
        catch (IOException)
        {
            // The other side is gone already.
        }

        // Who still tries to connect would keep us waiting, and has nothing to bring to an end.
        using var patience = new CancellationTokenSource(_reached ? TimeSpan.FromSeconds(2) : TimeSpan.Zero);
        try
        {
            await _ssh.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _ssh.Kill();
        }

        _ssh.Dispose();
    }

    /// <summary>Ends the client at once: the machine may be gone, and nothing is left to say to it.</summary>
    public async Task EndAsync()
    {
        if (!_ssh.HasExited)
            _ssh.Kill();
        await _ssh.WaitForExitAsync();
        _ssh.Dispose();
    }

    private async Task<Problem> LostAsync(CancellationToken cancel)
    {
        await _ssh.WaitForExitAsync(cancel);
        var complaint = (await _complaints.WaitAsync(cancel)).Trim();
        var detail = $"{_target.Machine}: {(complaint.Length > 0 ? complaint.ReplaceLineEndings("; ") : $"ssh ended with {_ssh.ExitCode.ToString(CultureInfo.InvariantCulture)}")}";
        if (!_reached && complaint.Contains("sudo: ", StringComparison.Ordinal))
            return SshErrors.NotRoot.With(detail);
        var never = !_reached && complaint.Length > 0 && (complaint.Contains("onnect", StringComparison.Ordinal) || complaint.Contains("esolve", StringComparison.Ordinal)
            || complaint.Contains("ermission denied", StringComparison.Ordinal) || complaint.Contains("erification failed", StringComparison.Ordinal));
        return (never ? SshErrors.Unreachable : SshErrors.SessionLost).With($"{detail} (by hand: {_target.ByHand})");
    }

    /// <summary>The first lines of what ssh says; a server's banner can be long.</summary>
    private static async Task<string> ReadComplaintsAsync(StreamReader reader)
    {
        const int kept = 4_000;
        var text = new StringBuilder();
        var buffer = new char[1024];
        int count;
        while ((count = await reader.ReadAsync(buffer)) > 0)
            _ = text.Append(buffer, 0, Math.Min(count, Math.Max(0, kept - text.Length)));
        return text.ToString();
    }
}
