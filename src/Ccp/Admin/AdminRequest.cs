using System.Net;
using Ccp.Identity;
using Ccp.Limits;

namespace Ccp.Admin;

/// <summary>A request to the administration API, as it comes over HTTP or, when no server runs, straight from the command line.</summary>
/// <param name="Query">Decoded; a name that came twice keeps its first value.</param>
/// <param name="Body">JSON; empty when there is none.</param>
internal sealed record AdminRequest(string Method, string Path, IReadOnlyDictionary<string, string> Query, ReadOnlyMemory<byte> Body, AdminActor Actor)
{
    /// <summary>Where the request comes from; this host, for the command line.</summary>
    public Caller From { get; init; } = new(IPAddress.Loopback);
}

/// <summary>Who asks, as far as it is known.</summary>
/// <param name="User">Null without a valid token.</param>
/// <param name="IsHostOperator">True for whoever may read the data directory on ccp's own host: no token is needed there.</param>
internal sealed record AdminActor(User? User, bool IsHostOperator)
{
    public bool IsAdmin => IsHostOperator || User is { IsAdmin: true };

    /// <summary>The name that stands beside what was done.</summary>
    public string Name => User?.Name ?? (IsHostOperator ? "host" : "nobody");
}

/// <summary>The answer, and the status that HTTP gives it.</summary>
/// <param name="Body">JSON, unless <see cref="ContentType"/> says otherwise.</param>
/// <param name="RetryAfterSeconds">Null: no <c>retry-after</c> header.</param>
internal sealed record AdminAnswer(int Status, byte[] Body, int? RetryAfterSeconds = null)
{
    public string ContentType { get; init; } = "application/json";
}
