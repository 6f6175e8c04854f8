namespace Dure.Storage.S3;

/// <summary>An error as S3 clients know it.</summary>
/// <param name="Code">S3's own word, such as <c>NoSuchKey</c>.</param>
/// <param name="Status">The HTTP status that S3 answers with.</param>
/// <param name="Message">One sentence; never a secret.</param>
/// <param name="Details">More elements of the error document, such as Resource's siblings; empty mostly.</param>
public sealed record S3Error(string Code, int Status, string Message, IReadOnlyDictionary<string, string>? Details = null);
