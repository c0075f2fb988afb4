using System.Globalization;
using Ccp.Configuration;
using Ccp.Refusals;

namespace Ccp.Quotas;

/// <summary>What the person at the keyboard is told when a quota is used up and no other lane takes the call.</summary>
internal static class QuotaRefusals
{
    /// <param name="full">A quota that has no room.</param>
    public static Refusal Of(QuotaStanding full, DateTimeOffset now)
    {
        var window = full.Weekly is { IsFull: true } week && (full.Rolling is not { IsFull: true } rolling || week.FreesAt >= rolling.FreesAt) ? week : full.Rolling!;
        var wait = full.FreesAt!.Value - now;
        var seconds = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds));
        return new Refusal(
            RefusalCode.QuotaReached,
            string.Create(
                CultureInfo.InvariantCulture,
                $"The {full.Quota.Lane} lane has used up the {window.Cap} tokens in {Quantities.Format(window.Length)} that ccp allows it for {Short(full.Quota.Pattern)}. It goes on in {seconds} s; choose another model, or ask your operator for a larger quota or a fallback."))
        {
            Wait = wait,
        };
    }

    private static string Short(string pattern) => pattern.Length <= 60 ? pattern : pattern[..60] + "…";
}
