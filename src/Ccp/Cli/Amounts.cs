using Ccp.Pricing;

namespace Ccp.Cli;

/// <summary>Amounts as they are typed.</summary>
internal static class Amounts
{
    /// <returns>The same text; it travels as it was typed.</returns>
    /// <exception cref="WrongUsageException">It is no amount.</exception>
    public static string? Checked(string? text) => text is null || NanoUsd.TryParse(text, out _)
        ? text
        : throw new WrongUsageException("An amount is written in dollars such as 50 or 0.25: digits, at most one point, at most nine decimals.");
}
