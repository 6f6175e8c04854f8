using System.Net;
using Dure.Fleet.Check;
using Dure.Fleet.Check.Estimates;

namespace Dure.Fleet.Cutover;

/// <summary>What was seen of a fleet that is about to take over, and of the server it replaces. Null where nobody could look.</summary>
/// <param name="Readiness">The list of <c>dure check</c>.</param>
/// <param name="Errors">How many errors <c>dure check</c> finds.</param>
internal sealed record CutoverFacts(IReadOnlyList<ReadinessItem> Readiness, int Errors)
{
    /// <summary>Why the machines could not be asked; null when all answered.</summary>
    public string? Unreachable { get; init; }

    /// <summary>How many changes an apply would make; null when the machines could not be asked.</summary>
    public int? Pending { get; init; }

    /// <summary>Health checks as the machines answered them.</summary>
    public IReadOnlyList<RoleHealth> Health { get; init; } = [];

    /// <summary>Machines that say they hold the virtual address.</summary>
    public IReadOnlyList<string> Holders { get; init; } = [];

    /// <summary>What the new front answers.</summary>
    public Answered? Front { get; init; }

    /// <summary>What the old server answers; null when none was named.</summary>
    public Answered? Old { get; init; }

    /// <summary>Where the domain leads now; null when there is none or it cannot be resolved.</summary>
    public IReadOnlyList<IPAddress>? Resolved { get; init; }

    /// <summary>The certificate that the front shows for the domain; null when it speaks no TLS or none could be had.</summary>
    public ShownCertificate? Certificate { get; init; }

    /// <summary>What clients saw while it was watched; null when it was not.</summary>
    public Watched? Watched { get; init; }
}

/// <summary>A certificate as a client is shown it.</summary>
/// <param name="Fault">Why a client would refuse it; null when it would not.</param>
internal sealed record ShownCertificate(CertificateFact Fact, string? Fault);

/// <summary>One health check of one machine.</summary>
internal sealed record RoleHealth(string Machine, string Role, bool Healthy);

/// <summary>An HTTP answer, or why there was none.</summary>
/// <param name="Where">What was asked, as a URL.</param>
/// <param name="Status">The HTTP status; null when there was no answer.</param>
/// <param name="Text">Why there was none.</param>
internal sealed record Answered(string Where, int? Status, string Text)
{
    /// <summary>Something is there that serves.</summary>
    public bool Serves => Status is < 500;

    public override string ToString() => Words.Text($"{Where} answers {(Status is { } status ? Words.Text($"{status}") : $"not: {Text}")}");
}

/// <summary>Requests through the domain, one after another.</summary>
/// <param name="LongestMs">The longest time for one that was answered.</param>
internal sealed record Watched(TimeSpan Took, int Sent, int Failed, double LongestMs, string? LastFailure);
