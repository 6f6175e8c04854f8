namespace Dure.Host.Configuration;

/// <summary>Failures of the configuration.</summary>
public static class ConfigurationErrors
{
    public static readonly ErrorKind Invalid = new("DURE0400", "The configuration is invalid", 400, ExitCodes.Usage,
        "Correct every place that is named; `dure config schema` lists the keys with their ranges. Nothing was started or changed.");

    public static readonly ErrorKind Unreadable = new("DURE0401", "The configuration file cannot be read", 400, ExitCodes.Usage,
        "Check the path given with --config or DURE_CONFIG and the file's permissions.");
}
