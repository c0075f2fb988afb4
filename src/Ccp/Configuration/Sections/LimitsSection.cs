using System.Net;

namespace Ccp.Configuration.Sections;

/// <summary><c>[limits]</c>, and what a <c>[[user]]</c> states in its place.</summary>
internal static class LimitsSection
{
    public static UserLimits Read(ConfigTable table)
    {
        var stated = ReadNumbers(table);
        table.RefuseUnknown();
        return stated.Over(UserLimits.BuiltIn);
    }

    /// <param name="isCharged">False for a user whom the file states as not charged.</param>
    public static StatedLimits ReadOfUser(ConfigTable table, bool isCharged)
    {
        var numbers = StatedLimits.None;
        if (table.Table("limits") is { } own)
        {
            numbers = ReadNumbers(own);
            own.RefuseUnknown();
            if (numbers.LimitsSpend && !isCharged)
            {
                table.Refuse("limits", "spend_per_day and spend_per_month count what a user is charged, and admins and users with billing = false are charged nothing");
            }
        }

        return numbers with { Models = ReadModels(table), AllowFrom = ReadRanges(table, "allow_from"), Expires = table.Moment("expires") };
    }

    public static IReadOnlyList<IPNetwork>? ReadRanges(ConfigTable table, string key)
    {
        if (table.Texts(key, AddressRange.Expected) is not { } texts)
        {
            return null;
        }

        var ranges = new List<IPNetwork>();
        foreach (var text in texts)
        {
            if (AddressRange.TryParse(text.Text, out var range))
            {
                ranges.Add(range);
            }
            else
            {
                table.Refuse(key, text.At, $"expected {AddressRange.Expected}, found \"{ConfigTable.Shown(text.Text)}\"");
            }
        }

        return ranges;
    }

    private static StatedLimits ReadNumbers(ConfigTable table) => new()
    {
        Concurrent = (int?)table.WholeNumber("concurrent", 1, UserLimits.ConcurrentMax),
        RequestsPerMinute = table.WholeNumber("requests_per_minute", 0, UserLimits.PerMinuteMax),
        TokensPerMinute = table.WholeNumber("tokens_per_minute", 0, UserLimits.PerMinuteMax),
        SpendPerDay = table.Decimal("spend_per_day", "dollars"),
        SpendPerMonth = table.Decimal("spend_per_month", "dollars"),
    };

    private static IReadOnlyList<string>? ReadModels(ConfigTable table)
    {
        const string Expected = "a model's id, or a pattern such as \"claude-haiku-*\"";
        if (table.Texts("models", Expected) is not { } texts)
        {
            return null;
        }

        foreach (var text in texts.Where(text => !Names.IsModel(text.Text)))
        {
            table.Refuse("models", text.At, $"expected {Expected}, found \"{ConfigTable.Shown(text.Text)}\"");
        }

        return [.. texts.Select(text => text.Text)];
    }
}
