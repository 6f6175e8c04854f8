using System.Net;
using Dure.Host.Configuration;
using Dure.Host.Terminal;

namespace Dure.Host.Commands;

/// <summary>What <c>dure up</c> says once the server answers.</summary>
internal static class UpBanner
{
    /// <param name="link">Signs a browser in, once; null when none could be made, or when what is said here is kept in a log.</param>
    public static void Print(Screen screen, RunningServer running, DureOptions options, bool detached, string? link)
    {
        if (screen.Format == OutputFormat.Json)
        {
            screen.Json(running, HostJson.Default.RunningServer);
            return;
        }

        var launcher = Environment.GetEnvironmentVariable("DURE_LAUNCHER") is { Length: > 0 } typed ? typed : "dure";
        screen.Facts(
        [
            ("Dure", $"{running.Version} runs as process {running.Pid}" + (detached ? "" : "; Ctrl-C stops it")),
            ("address", running.Url),
            ("store", running.Store is { } store ? $"{store} (S3; `dure storage key create` makes access keys)" : null),
            ("data", options.Data),
            ("portal", link is null ? "`dure signin` prints a link to sign in with" : $"{link}  (signs you in once, within ten minutes; `dure signin` makes another)"),
            ("sign in", "commands on this machine do so by themselves; others need a token (`dure token create`)"),
            ("owner", Path.Combine(options.Data, "keys", "owner.token")),
            ("log", detached ? ServerStart.LogIn(options.Data) : null),
        ]);
        if (!IPAddress.TryParse(options.Listen, out var address) ? options.Listen != "localhost" : !IPAddress.IsLoopback(address))
        {
            screen.Warn($"{options.Listen} can be reached from other machines and speaks plain HTTP: put TLS in front of it.");
        }

        screen.Say("");
        screen.Say("Try next:");
        screen.Say($"  {launcher} fn deploy {Example()}");
        screen.Say($"  {launcher} fn invoke hello-python --data '{{\"name\": \"Ada\"}}'");
        screen.Say($"  {launcher} inv list");
    }

    /// <summary>As short as it can be typed from here; a release has the examples beside its program's folder.</summary>
    private static string Example()
    {
        const string example = "examples/hello-python";
        var released = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", example));
        return !Directory.Exists(example) && Directory.Exists(released) ? released : example;
    }
}
