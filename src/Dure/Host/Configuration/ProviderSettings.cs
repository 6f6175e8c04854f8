using System.Text.RegularExpressions;
using static Dure.Host.Configuration.SettingKinds;

namespace Dure.Host.Configuration;

/// <summary>
/// What can be configured of each provider of object storage, below <c>storage.providers.NAME</c>: the one source for parsing, checking, <c>dure config</c>,
/// dure.example.yaml and the reference page.
/// </summary>
public static partial class ProviderSettings
{
    /// <summary>Stands before a provider's name in a key.</summary>
    public const string Prefix = "storage.providers.";

    /// <summary>Before the name in an environment variable.</summary>
    public const string VariablePrefix = "DURE_STORAGE_PROVIDERS_";

    private static readonly string[] OfS3 = ["s3", "gcs"];
    private static readonly string[] OfNetwork = ["s3", "gcs", "azure"];

    /// <summary>The keys, without their prefix, and the types of provider that have them (none: all).</summary>
    internal static readonly IReadOnlyList<(Setting Setting, string[] Types)> Fields =
    [
        (Choice("type", "s3", "What kind of store it is: S3-compatible, Google Cloud Storage through its interoperable API, Azure Blob, or a folder such as another disk or an NFS mount.", "s3", "gcs", "azure", "folder"), []),
        (Text("endpoint", "", "Address of the service, with https:// or http://; empty takes that of Amazon, Google or Azure."), OfNetwork),
        (Text("region", "", "Region of the bucket, such as eu-central-1; empty with an endpoint of one's own means us-east-1."), OfS3),
        (Text("bucket", "", "The bucket; it has to exist."), OfS3),
        (Text("account", "", "The storage account of Azure."), ["azure"]),
        (Text("container", "", "The container of Azure; it has to exist."), ["azure"]),
        (Folder("path", "", "The folder, an absolute path; it has to exist, so that a mount that is missing is noticed."), ["folder"]),
        (Text("prefix", "", "Put before the name of every object, such as dure/."), []),
        (Choice("style", "auto", "Where the bucket's name stands in addresses; CoreWeave wants virtual, most stores of one's own want path.", "auto", "path", "virtual"), OfS3),
        (Text("access_key_secret", "", "Name of the secret that holds the access key; set it with `dure secrets set`, or give DURE_STORAGE_<NAME>_ACCESS_KEY."), OfS3),
        (Text("secret_key_secret", "", "Name of the secret that holds the secret key (for Azure the account's key), or give DURE_STORAGE_<NAME>_SECRET_KEY."), OfNetwork),
        (Bytes("part_size", "8MiB", "5MiB", "1GiB", "Larger objects are sent in parts of this size, four at a time."), OfNetwork),
        (Duration("timeout", "30s", "100ms", "1h", "How long the provider may stay silent before it counts as unreachable."), OfNetwork),
        (Choice("conditional_put", "auto", "Whether the store itself refuses to replace an object when asked to; without, it is asked first, which two writers can slip through.", "auto", "true", "false"), OfS3),
        (Choice("delete_many", "auto", "Whether the store can delete many objects with one request.", "auto", "true", "false"), OfS3),
        (Choice("mode", "async", "Whether a result is successful once it is here (async) or only once this provider has it, too (both).", "async", "both"), []),
        (Choice("functions", "true", "Whether functions' sources and results go there.", "true", "false"), []),
    ];

    /// <summary>A provider, commented out, for dure.example.yaml.</summary>
    internal static readonly IReadOnlyList<string> Example =
    [
        "second:",
        "  type: s3",
        "  region: eu-central-1",
        "  bucket: our-lab",
        "  access_key_secret: SECOND_ACCESS_KEY",
        "  secret_key_secret: SECOND_SECRET_KEY",
    ];

    /// <summary>What a name must look like, in words.</summary>
    internal const string NameExpected = "a provider's name has lower-case letters, digits and single dashes, begins with a letter, and is at most 32 long";

    /// <summary>The setting of one provider.</summary>
    internal static Setting Of(string name, Setting field) => field with { Key = $"{Prefix}{name}.{field.Key}" };

    internal static bool IsName(string name) => name.Length <= 32 && NameForm().IsMatch(name);

    [GeneratedRegex(@"\A[a-z][a-z0-9]*(-[a-z0-9]+)*\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex NameForm();
}
