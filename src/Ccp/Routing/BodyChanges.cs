namespace Ccp.Routing;

/// <summary>Whether a thinking block with this signature was signed by another lane than the one the request goes to.</summary>
/// <param name="signature">As sent, JSON escapes undone; empty when the block has none.</param>
internal delegate bool IsForeignSignature(ReadOnlySpan<byte> signature);

/// <summary>What a lane wants changed in a body; nothing else is ever changed.</summary>
/// <param name="Model">Put in the place of the model's name; null leaves it.</param>
/// <param name="StripsBillingHeader">Takes out the block of <c>system</c> that holds <c>x-anthropic-billing-header</c>: it changes with every call and ruins a prefix cache.</param>
/// <param name="IsForeign">Thinking blocks for which it says yes are taken out; null leaves them all. See <see cref="ToolLoop"/> for what else goes then.</param>
internal sealed record BodyChanges(string? Model, bool StripsBillingHeader, IsForeignSignature? IsForeign)
{
    public bool AreNone => Model is null && !StripsBillingHeader && IsForeign is null;
}
