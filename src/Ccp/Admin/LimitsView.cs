using System.Text.Json.Serialization;
using Ccp.Configuration;
using Ccp.Identity;
using Ccp.Pricing;

namespace Ccp.Admin;

/// <summary>A user's limits; what is not set is left out.</summary>
internal sealed record LimitsView
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Concurrent { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? RequestsPerMinute { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? TokensPerMinute { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public NanoUsd? SpendPerDay { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public NanoUsd? SpendPerMonth { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Models { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? AllowFrom { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Expires { get; init; }

    public static LimitsView Of(StatedLimits limits) => new()
    {
        Concurrent = limits.Concurrent,
        RequestsPerMinute = limits.RequestsPerMinute,
        TokensPerMinute = limits.TokensPerMinute,
        SpendPerDay = limits.SpendPerDay,
        SpendPerMonth = limits.SpendPerMonth,
        Models = limits.Models,
        AllowFrom = limits.AllowFrom is { } ranges ? [.. ranges.Select(range => range.ToString())] : null,
        Expires = limits.Expires is { } expires ? LimitsJson.Moment(expires) : null,
    };

    /// <summary>What does not limit anything is left out.</summary>
    public static LimitsView Of(UserLimits limits) => Of(new StatedLimits
    {
        Concurrent = limits.Concurrent,
        RequestsPerMinute = limits.RequestsPerMinute == 0 ? null : limits.RequestsPerMinute,
        TokensPerMinute = limits.TokensPerMinute == 0 ? null : limits.TokensPerMinute,
        SpendPerDay = limits.SpendPerDay == NanoUsd.Zero ? null : limits.SpendPerDay,
        SpendPerMonth = limits.SpendPerMonth == NanoUsd.Zero ? null : limits.SpendPerMonth,
        Models = limits.Models.Count == 0 ? null : limits.Models,
        AllowFrom = limits.AllowFrom.Count == 0 ? null : limits.AllowFrom,
        Expires = limits.Expires,
    });
}
