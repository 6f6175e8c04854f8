using Dure.Host.Configuration;

namespace Dure.Host;

/// <summary>The server's own log, on standard error.</summary>
internal static class ServerLogging
{
    /// <summary>Sets level and form.</summary>
    public static void Configure(ILoggingBuilder logging, LogOptions options)
    {
        var level = options.Level switch
        {
            "trace" => LogLevel.Trace,
            "debug" => LogLevel.Debug,
            "warning" => LogLevel.Warning,
            "error" => LogLevel.Error,
            "none" => LogLevel.None,
            _ => LogLevel.Information,
        };
        logging.ClearProviders().SetMinimumLevel(level).AddFilter("Microsoft", LogLevel.Warning)
            // Says nothing above Information, but makes a scope and an activity for every request while it may speak at all.
            .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        if (options.Json)
            logging.AddJsonConsole(console => (console.UseUtcTimestamp, console.TimestampFormat) = (true, "yyyy-MM-ddTHH:mm:ss.fffZ"));
        else
            logging.AddSimpleConsole(console => (console.SingleLine, console.UseUtcTimestamp, console.TimestampFormat) = (true, true, "yyyy-MM-ddTHH:mm:ss.fffZ "));
    }
}
