namespace Ccp.Refusals;

/// <summary>The word for a refusal in the usage log and in the metrics: <c>token_unknown</c>.</summary>
internal static class RefusalWords
{
    private static readonly string[] All = [.. Enum.GetValues<RefusalCode>().Select(SnakeCase)];

    public static string ToReason(this RefusalCode code) => All[(int)code];

    private static string SnakeCase(RefusalCode code) =>
        string.Concat(code.ToString().Select((letter, index) => char.IsAsciiLetterUpper(letter) ? (index == 0 ? "" : "_") + char.ToLowerInvariant(letter) : letter.ToString()));
}
