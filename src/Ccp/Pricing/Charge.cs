namespace Ccp.Pricing;

/// <summary>What a call cost, and what is taken for it.</summary>
/// <param name="Cost">What the provider asks.</param>
/// <param name="Amount">The same with the markup; rounded up on its own, from the same unrounded sum.</param>
/// <param name="PricedAs">The model of the row that was charged: the asked one's, or the answering one's where that is dearer.</param>
internal readonly record struct Charge(NanoUsd Cost, NanoUsd Amount, string PricedAs);
