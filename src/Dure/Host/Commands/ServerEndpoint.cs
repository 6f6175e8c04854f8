using Dure.Host.Configuration;

namespace Dure.Host.Commands;

/// <summary>A server and how to sign in there.</summary>
/// <param name="Data">The data folder it was found through; null when its address was given.</param>
public sealed record ServerEndpoint(Uri Url, string Token, string? Data)
{
    /// <summary>The server that was named by flag or environment, else the one that runs on the data folder.</summary>
    /// <returns>The endpoint, or DURE0420 (no address), DURE0421 (nothing runs), DURE0425 (no token).</returns>
    public static Outcome<ServerEndpoint> Find(string? url, string? token, ConfigurationSources sources)
    {
        var address = url ?? NotEmpty(sources, "DURE_URL");
        var given = token ?? NotEmpty(sources, "DURE_TOKEN");
        var data = RunningServer.Locate(sources);
        if (address is not null)
        {
            return !Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")
                ? CommandErrors.Usage.With($"'{address}' is not an address such as http://127.0.0.1:7070.")
                : given is null && !uri.IsLoopback ? CommandErrors.NoToken.With($"{address} wants one.")
                : SignIn(uri, given, data);
        }

        return RunningServer.Read(data) is { } running
            ? SignIn(new Uri(running.Url), given, data)
            : CommandErrors.Unreachable.With($"No server runs on the data in {data}.");
    }

    private static Outcome<ServerEndpoint> SignIn(Uri url, string? given, string data)
    {
        var path = Path.Combine(data, "keys", "owner.token");
        try
        {
            return new ServerEndpoint(url, given ?? File.ReadAllText(path).Trim(), data);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return CommandErrors.NoToken.With(failure is UnauthorizedAccessException
                ? $"The owner's token in {path} may be read by the one who runs the server only."
                : $"There is no owner's token in {path}.");
        }
    }

    private static string? NotEmpty(ConfigurationSources sources, string variable) =>
        sources.Environment.TryGetValue(variable, out var value) && value.Length > 0 ? value : null;
}
