using System.Globalization;

namespace Dure.Functions.Worker;

/// <summary>
/// The worker's log: lines on standard error in the form of the server's. The usual console logger would cost a restarting worker a
/// tenth of a second, in which lost work waits.
/// </summary>
internal sealed class PlainLog(TimeProvider time) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Lines(categoryName, time);

    public void Dispose()
    {
        // Nothing is held.
    }

    private sealed class Lines(string category, TimeProvider time) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Information and < LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            var word = logLevel switch
            {
                LogLevel.Information => "info",
                LogLevel.Warning => "warn",
                LogLevel.Error => "fail",
                _ => "crit",
            };
            var at = time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{at} {word}: {category}[{eventId.Id}] {formatter(state, exception)}{(exception is null ? "" : " " + exception.ToString().ReplaceLineEndings(" "))}"));
        }
    }
}
