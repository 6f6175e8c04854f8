using Dure.Functions.Deploy;
using Dure.Host;

namespace Dure.Functions.Api;

/// <summary><c>If-Match</c> and <c>If-None-Match</c> of requests that change where callers are sent.</summary>
internal static class ReleaseConditions
{
    /// <summary>What the request builds on; null when it does not say.</summary>
    /// <param name="function">As it is now; null when there is none of the name.</param>
    /// <param name="last">The newest change, for the problem's words.</param>
    /// <returns>Or DURE0220 when that is not how it is now.</returns>
    public static async ValueTask<Outcome<Condition>> ReadAsync(HttpContext http, Function? function, Func<ValueTask<FunctionRelease?>> last)
    {
        var tags = http.Request.Headers.IfMatch.ToString();
        var holds = http.Request.Headers.IfNoneMatch.ToString() == "*" ? function is null
            : tags.Length == 0 || (function is not null && (tags == "*" || tags.Split(',', StringSplitOptions.TrimEntries).Contains('"' + ExpectedRelease.TagOf(function) + '"', StringComparer.Ordinal)));
        if (!holds)
            return Problem(function, await last());
        var conditional = tags.Length > 0 || http.Request.Headers.IfNoneMatch == "*";
        return new Condition(conditional && tags != "*" ? ExpectedRelease.Of(function) : null);
    }

    /// <summary>What is said when callers are sent elsewhere than expected.</summary>
    public static Problem Problem(Function? function, FunctionRelease? last)
    {
        if (function is null)
            return FunctionErrors.ChangedMeanwhile.With("The function was deleted meanwhile, or was never there.");
        var now = $"{function.Name} now has {(function.Live is { } live ? $"version {live.Number} ({live.Digest[..12]}) live" : "no live version")}"
            + (function.Canary is { } canary ? $" and version {canary.Number} as canary for {function.CanaryPercent} %" : "");
        return FunctionErrors.ChangedMeanwhile.With(last is null ? now + "." : $"{now}, since {last.Owner} {Done(last.Action)} at {last.At.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC.");
    }

    private static string Done(string action) => action switch
    {
        "deploy" => "deployed it",
        "canary" => "deployed a canary",
        "rollback" => "rolled it back",
        _ => "moved it",
    };
}

/// <summary>What a change builds on.</summary>
/// <param name="Expected">Null for whatever is there.</param>
internal readonly record struct Condition(ExpectedRelease? Expected);
