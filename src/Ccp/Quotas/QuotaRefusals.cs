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
        return new Refusal(
            RefusalCode.QuotaReached,
            string.Create(
                CultureInfo.InvariantCulture,
                $"The {full.Quota.Lane} lane has used up the {window.Cap} tokens in {Quantities.Format(window.Length)} that ccp allows it for {Short(full.Quota.Pattern)}. It goes on in {Shown(wait)}; choose another model, or ask your operator for a larger quota or a fallback."))
        {
            Wait = wait,
        };
    }

    /// <summary>Nobody counts hours in seconds. Rounded up: who waits that long is not told to wait again.</summary>
    public static string Shown(TimeSpan wait)
    {
        var seconds = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds));
        var minutes = (seconds + 59) / 60;
        return seconds <= 120 ? $"{seconds} s"
            : minutes < 60 ? $"{minutes} min"
            : minutes < 48 * 60 ? $"{minutes / 60} h {minutes % 60} min"
            : $"{minutes / 1440} d {minutes % 1440 / 60} h {minutes % 60} min";
    }

    private static string Short(string pattern) => pattern.Length <= 60 ? pattern : pattern[..60] + "…";
}
