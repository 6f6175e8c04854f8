using Dure.Host.Web.OpenApi;
using Dure.Storage.Replication;

namespace Dure.Storage;

/// <summary>The part of the API's document about copies at second providers.</summary>
internal static class StorageOperations
{
    private static readonly Dictionary<string, string> Compared = new(StringComparer.Ordinal)
    {
        ["provider"] = "Its name; without, every one.",
        ["full"] = "true reads all bytes, there and here, instead of a sample.",
    };

    /// <summary>One for each endpoint of <see cref="StorageApi"/>.</summary>
    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("GET", "/api/storage/status", "How far each provider is behind, and what the last comparison found.", 200, ReplicationJson.Default.StorageStatusView),
        new("POST", "/api/storage/verify", "Compare providers with the databases; one JSON object a line tells how it goes.", 200) { ResponseType = "application/x-ndjson", Parameters = Compared },
        new("POST", "/api/storage/repair", "Compare, send what is missing there and fetch what was lost here; one JSON object a line.", 200) { ResponseType = "application/x-ndjson", Parameters = Compared },
        new("POST", "/api/storage/restore", "Bring back what a provider has and this machine does not; one JSON object a line.", 200)
        {
            ResponseType = "application/x-ndjson",
            Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["from"] = "The provider.", ["dry_run"] = "true says what would be done." },
        },
    ];
}
