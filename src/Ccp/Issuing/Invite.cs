namespace Ccp.Issuing;

/// <summary>The right to a license, for whoever knows its code.</summary>
/// <param name="Code">A secret.</param>
/// <param name="Lifetime">Of the license, from the moment it is issued.</param>
/// <param name="RedemptionsMax">How many licenses may be issued on it, ever.</param>
/// <param name="ExpiresAt">When it can no longer be redeemed; null: never.</param>
internal sealed record Invite(string Code, string Plan, IReadOnlyList<string> Features, TimeSpan Lifetime, long RedemptionsMax, DateTimeOffset? ExpiresAt);
