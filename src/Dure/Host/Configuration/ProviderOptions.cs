namespace Dure.Host.Configuration;

/// <summary>Object storage beyond this machine's own disk.</summary>
/// <param name="Providers">In the order of their names.</param>
public sealed record StorageOptions(IReadOnlyList<ProviderOptions> Providers)
{
    /// <summary>No provider at all.</summary>
    public static readonly StorageOptions None = new([]);
}

/// <summary>One provider of object storage, as configured. The keys are told in <see cref="ProviderSettings"/>; credentials are never here, only the names of secrets.</summary>
/// <param name="Name">Lower-case letters, digits and dashes.</param>
/// <param name="Type">s3, gcs, azure or folder.</param>
public sealed record ProviderOptions(string Name, string Type)
{
    /// <summary>Address of the service; null for the type's own.</summary>
    public Uri? Endpoint { get; init; }

    public string? Region { get; init; }

    /// <summary>Bucket, or container of Azure.</summary>
    public string? Bucket { get; init; }

    /// <summary>Put before every key; empty for none.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>The bucket stands in the path rather than in the host's name; null lets the type decide.</summary>
    public bool? PathStyle { get; init; }

    /// <summary>The storage account of Azure.</summary>
    public string? Account { get; init; }

    /// <summary>The folder of a folder.</summary>
    public string? Path { get; init; }

    /// <summary>Name of the secret that holds the access key.</summary>
    public string? AccessKeySecret { get; init; }

    /// <summary>Name of the secret that holds the secret key (Azure: the account's key).</summary>
    public string? SecretKeySecret { get; init; }

    /// <summary>Bytes of a part of a large object, 5 MiB to 1 GiB.</summary>
    public long PartSize { get; init; } = 8L << 20;

    /// <summary>How long the provider may stay silent before it counts as unreachable.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether the store refuses a conditional put itself; else it is asked first, which is not atomic. Null lets the type decide.</summary>
    public bool? ConditionalPut { get; init; }

    /// <summary>Whether many objects are deleted with one request; null lets the type decide.</summary>
    public bool? DeleteMany { get; init; }

    /// <summary>A result counts as successful only once this provider has it, too.</summary>
    public bool Both { get; init; }

    /// <summary>Functions' sources and results go there.</summary>
    public bool Functions { get; init; } = true;

    /// <summary>Environment variable of a credential, such as <c>DURE_STORAGE_SECOND_SECRET_KEY</c>; it wins over the secret.</summary>
    public string Variable(string credential) => $"DURE_STORAGE_{Name.Replace('-', '_').ToUpperInvariant()}_{credential}";
}
