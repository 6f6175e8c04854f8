using Dure.Host;
using Dure.Host.Configuration;
using Dure.Host.Secrets;

namespace Dure.Storage.Providers;

/// <summary>Opens providers as configured, with credentials from the environment or the secret store.</summary>
public static class ProviderFactory
{
    /// <summary>Opens a provider; speaks to nobody yet.</summary>
    /// <param name="environment">Reads a variable; null reads this process's.</param>
    /// <returns>The provider, or DURE0603 that says which credential is missing.</returns>
    public static async ValueTask<Outcome<IObjects>> OpenAsync(
        ProviderOptions options, SecretStore secrets, TimeProvider time, CancellationToken cancel, Func<string, string?>? environment = null)
    {
        if (options.Type is "folder")
        {
            return new FolderObjects(options, time);
        }

        var credentials = await CredentialsAsync(options, secrets, environment, cancel);
        return credentials.Ok ? Open(options, credentials.Value, time) : credentials.Problem;
    }

    /// <summary>What a provider's credentials are just now.</summary>
    public static async ValueTask<Outcome<ProviderCredentials>> CredentialsAsync(
        ProviderOptions options, SecretStore secrets, Func<string, string?>? environment, CancellationToken cancel)
    {
        var isAzure = options.Type is "azure";
        var access = isAzure ? "" : await FindAsync("ACCESS_KEY", options.AccessKeySecret);
        if (!access.Ok)
        {
            return access.Problem;
        }

        var secret = await FindAsync("SECRET_KEY", options.SecretKeySecret);
        return secret.Ok ? new ProviderCredentials(access.Value, secret.Value) : secret.Problem;

        async ValueTask<Outcome<string>> FindAsync(string credential, string? name)
        {
            var variable = options.Variable(credential);
            if ((environment ?? Environment.GetEnvironmentVariable)(variable) is { Length: > 0 } value)
            {
                return value.Trim();
            }

            if (name is null)
            {
                return ProviderErrors.Refused.With(
                    $"{options.Name} has no {credential.ToLowerInvariant()}: set {ProviderSettings.Prefix}{options.Name}.{credential.ToLowerInvariant()}_secret to the name of a secret, or {variable} in the server's environment.");
            }

            var read = await secrets.ReadAsync([name], cancel);
            return read.Ok ? read.Value[name].Trim()
                : ProviderErrors.Refused.With($"{options.Name}: the secret {name} cannot be read ({read.Problem.Kind.Id}: {read.Problem.Detail}). Set it with `dure secrets set {name}`.");
        }
    }

    /// <summary>Opens a provider with these credentials.</summary>
    internal static Outcome<IObjects> Open(ProviderOptions options, ProviderCredentials credentials, TimeProvider time)
    {
        if (options.Type is not "azure")
        {
            return new S3Objects(options, credentials, time);
        }

        try
        {
            return new AzureObjects(options, credentials, time);
        }
        catch (FormatException)
        {
            return ProviderErrors.Refused.With($"{options.Name}: the account's key is not base 64, as Azure gives it out.");
        }
    }
}
