using Dure.Functions.Dispatch;

namespace Dure.Functions.Api;

/// <summary>Sends the pieces of a streamed result as they come; a result that came whole is sent whole.</summary>
internal sealed class StreamResponse(FunctionsContext context)
{
    private const int PieceBytes = 64 << 10;

    /// <summary>Writes until the invocation has ended. A failure after the first piece cuts the connection, so that no reader takes half for whole.</summary>
    public async Task WriteAsync(HttpContext http, long id, FunctionVersion version, Task<Finished> completion)
    {
        var active = context.Dispatcher.Active(id);
        var spool = active is null ? null : await FirstPieceAsync(active, completion);
        if (spool is null || !spool.Join())
        {
            await ResultResponse.WriteAsync(http, context, id, version, await completion.WaitAsync(http.RequestAborted));
            return;
        }
        try
        {
            var attempt = active!.Attempt;
            ResultResponse.WriteHeaders(http, id, version);
            http.Response.ContentType = "application/octet-stream";
            await CopyAsync(spool, http);
            var finished = await completion.WaitAsync(http.RequestAborted);
            if (finished.State != InvocationState.Success || finished.Attempt != attempt)
                http.Abort();
        }
        finally
        {
            spool.Leave();
        }
    }

    private static async Task CopyAsync(ResultSpool spool, HttpContext http)
    {
        var buffer = new byte[PieceBytes];
        long offset = 0;
        int count;
        while ((count = await spool.ReadAsync(offset, buffer, http.RequestAborted)) > 0)
        {
            await http.Response.Body.WriteAsync(buffer.AsMemory(0, count), http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
            offset += count;
        }
    }

    private async Task<ResultSpool?> FirstPieceAsync(ActiveInvocation active, Task<Finished> completion)
    {
        while (active.Spool is not { Length: > 0 })
        {
            if (completion.IsCompleted)
                return null;
            await Task.WhenAny(completion, Task.Delay(TimeSpan.FromMilliseconds(5), context.Time));
        }
        return active.Spool;
    }
}
