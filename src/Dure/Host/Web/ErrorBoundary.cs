using System.Data.Common;
using Dure.Host.Files;

namespace Dure.Host.Web;

/// <summary>Turns what an endpoint did not expect into a problem that says so, and a line in the log. Nothing of the exception is told to the caller.</summary>
/// <param name="diskFull">The kind that stands for a disk without room.</param>
public sealed partial class ErrorBoundary(ErrorKind diskFull, ILogger<ErrorBoundary> logger)
{
    private const string PostgresDiskFull = "53100";

    /// <summary>Runs the rest of the pipeline.</summary>
    public async Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        try
        {
            await next(http);
        }
        catch (Exception error) when (http.RequestAborted.IsCancellationRequested && error is OperationCanceledException or IOException)
        {
            // The caller went away.
        }
        catch (BadHttpRequestException error)
        {
            await AnswerAsync(http, HostErrors.BadRequest.With(error.Message), error.StatusCode);
        }
        catch (EndOfStreamException)
        {
            await AnswerAsync(http, HostErrors.BadRequest.With("The body is shorter than its Content-Length."));
        }
        catch (Exception error) when (IsDiskFull(error))
        {
            LogDiskFull(http.Request.Method, http.Request.Path, error.Message);
            await AnswerAsync(http, diskFull.With("The disk has no room for this; nothing was kept of it."));
        }
        catch (Exception error)
        {
            LogUnexpected(error, http.Request.Method, http.Request.Path, http.TraceIdentifier);
            await AnswerAsync(http, HostErrors.Unexpected.With($"The server's log tells more under {http.TraceIdentifier}."));
        }
    }

    private static bool IsDiskFull(Exception error) => error switch
    {
        IOException io => DurableFile.IsNoRoom(io),
        Microsoft.Data.Sqlite.SqliteException { SqliteErrorCode: SQLitePCL.raw.SQLITE_FULL } => true,
        DbException { SqlState: PostgresDiskFull } => true,
        _ => false,
    };

    private static Task AnswerAsync(HttpContext http, Problem problem, int? status = null)
    {
        if (http.Response.HasStarted)
        {
            // Half an answer must not look like a whole one.
            http.Abort();
            return Task.CompletedTask;
        }
        http.Response.Clear();
        return ProblemResponse.WriteAsync(http, status is { } code ? problem with { Kind = problem.Kind with { Status = code } } : problem);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed unexpectedly ({Trace})")]
    private partial void LogUnexpected(Exception error, string method, string path, string trace);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} found the disk full: {Why}")]
    private partial void LogDiskFull(string method, string path, string why);
}
