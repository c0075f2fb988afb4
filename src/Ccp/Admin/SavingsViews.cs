using Ccp.Pricing;

namespace Ccp.Admin;

/// <summary>What lanes beside the default one saved: costs to the operator, before any markup.</summary>
/// <param name="Requests">All that went to another lane.</param>
/// <param name="Compared">Of those, the ones in the sums.</param>
/// <param name="SavedDollars">Negative when the lanes cost more.</param>
internal sealed record SavingsView(
    DateTimeOffset Since,
    string DefaultLane,
    long Requests,
    long Compared,
    NanoUsd LaneCostDollars,
    NanoUsd DefaultLaneCostDollars,
    NanoUsd SavedDollars,
    SavingsNotComparedView NotCompared,
    IReadOnlyList<SavingsLineView> Lines);

/// <summary>Requests that are in no sum, and why.</summary>
/// <param name="WithoutPrice">Of models that have no price on the default lane.</param>
/// <param name="WithoutUsage">Records of an older ccp, which keep too little.</param>
internal sealed record SavingsNotComparedView(long WithoutPrice, long WithoutUsage);

/// <param name="Month">UTC, such as 2026-11.</param>
internal sealed record SavingsLineView(
    string Month,
    string Model,
    string Username,
    long Requests,
    NanoUsd LaneCostDollars,
    NanoUsd DefaultLaneCostDollars,
    NanoUsd SavedDollars);
