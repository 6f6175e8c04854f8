namespace Dure.Storage.Store;

/// <summary>Conditions of writes and deletes, looked at in the transaction of the write.</summary>
internal static class Conditions
{
    /// <param name="latest">Null when there is none; a delete marker counts as none.</param>
    /// <param name="wasThere">Whether there was one when the request began: then somebody deleted it meanwhile.</param>
    public static StoreFault? OfWrite(WriteConditions conditions, StoredObject? latest, bool wasThere)
    {
        if (conditions == WriteConditions.None)
            return null;
        var current = latest is { IsDeleteMarker: false } ? latest : null;
        if (conditions.IfNoneMatch is { } none && current is not null && Matches(none, current))
            return StoreFault.PreconditionFailed;
        if (conditions.IfMatch is not { } match)
            return null;
        if (current is null)
            return wasThere ? StoreFault.Conflict : StoreFault.NoSuchKey;
        return Matches(match, current) ? null : StoreFault.PreconditionFailed;
    }

    /// <summary>What is not there is deleted whatever the condition.</summary>
    public static StoreFault? OfDelete(WriteConditions conditions, StoredObject? current)
    {
        if (current is null or { IsDeleteMarker: true })
            return null;
        var holds = (conditions.IfMatch is not { } match || Matches(match, current))
            && (conditions.IfMatchSize is not { } size || size == current.Size)
            // Dates in headers have no fractions.
            && (conditions.IfMatchModifiedAt is not { } at || at.ToUnixTimeSeconds() == current.ModifiedAt.ToUnixTimeSeconds());
        return holds ? null : StoreFault.PreconditionFailed;
    }

    private static bool Matches(string etag, StoredObject current) => etag == "*" || etag == current.ETag;
}
