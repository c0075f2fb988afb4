using System.Globalization;
using System.Net;
using System.Text.Json;
using Ccp.Configuration;
using Ccp.Pricing;

namespace Ccp.Identity;

/// <summary>A change of a user's own limits, as JSON: a member with a value sets it, one that is null takes it away, one left out stays.</summary>
/// <remarks>The same form, with the members that are set, is what the store keeps.</remarks>
internal sealed class LimitsChange
{
    private const string Known = "concurrent, requestsPerMinute, tokensPerMinute, spendPerDay, spendPerMonth, models, allowFrom, expires";

    private readonly List<(string Name, Func<StatedLimits, StatedLimits> Apply)> _steps = [];

    private LimitsChange()
    {
    }

    public static LimitsChange Nothing { get; } = new();

    public IEnumerable<string> Names => _steps.Select(step => step.Name);

    public StatedLimits On(StatedLimits limits) => _steps.Aggregate(limits, (sofar, step) => step.Apply(sofar));

    /// <summary>What is set, by the names that it has here.</summary>
    public static IEnumerable<string> NamesIn(StatedLimits limits)
    {
        if (LimitsJson.Write(limits) is { } json)
        {
            using var document = JsonDocument.Parse(json);
            foreach (var member in document.RootElement.EnumerateObject())
            {
                yield return member.Name;
            }
        }
    }

    /// <exception cref="FormatException">With a sentence that says what is wrong.</exception>
    public static LimitsChange Parse(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException("limits must be an object.");
        }

        var change = new LimitsChange();
        foreach (var member in json.EnumerateObject())
        {
            if (change.Names.Contains(member.Name))
            {
                throw new FormatException($"limits states {member.Name} twice.");
            }

            change._steps.Add((member.Name, StepFor(member.Name, member.Value.ValueKind == JsonValueKind.Null ? null : member.Value)));
        }

        return change;
    }

    private static Func<StatedLimits, StatedLimits> StepFor(string name, JsonElement? value)
    {
        switch (name)
        {
            case "concurrent":
                var concurrent = (int?)Count(name, value, 1, UserLimits.ConcurrentMax);
                return limits => limits with { Concurrent = concurrent };
            case "requestsPerMinute":
                var requests = Count(name, value, 0, UserLimits.PerMinuteMax);
                return limits => limits with { RequestsPerMinute = requests };
            case "tokensPerMinute":
                var tokens = Count(name, value, 0, UserLimits.PerMinuteMax);
                return limits => limits with { TokensPerMinute = tokens };
            case "spendPerDay":
                var perDay = Dollars(name, value);
                return limits => limits with { SpendPerDay = perDay };
            case "spendPerMonth":
                var perMonth = Dollars(name, value);
                return limits => limits with { SpendPerMonth = perMonth };
            case "models":
                var models = Models(value);
                return limits => limits with { Models = models };
            case "allowFrom":
                var ranges = Ranges(value);
                return limits => limits with { AllowFrom = ranges };
            case "expires":
                var expires = Moment(value);
                return limits => limits with { Expires = expires };
            default:
                throw new FormatException($"limits has a member that is not understood. Understood are: {Known}.");
        }
    }

    private static long? Count(string name, JsonElement? value, long min, long max) => value is not { } count ? null
        : count.ValueKind == JsonValueKind.Number && count.TryGetInt64(out var number) && number >= min && number <= max ? number
        : throw new FormatException($"limits.{name} must be a whole number from {min} to {max}, or null for the default.");

    private static NanoUsd? Dollars(string name, JsonElement? value)
    {
        var digits = value switch
        {
            null => null,
            { ValueKind: JsonValueKind.Number } number => number.GetRawText(),
            { ValueKind: JsonValueKind.String } text => text.GetString(),
            _ => "",
        };
        return digits is null ? null
            : NanoUsd.TryParse(digits, out var amount) && amount >= NanoUsd.Zero ? amount
            : throw new FormatException($"limits.{name} must be an amount of dollars such as 20 or 0.25 (0: no limit), or null for the default.");
    }

    private static List<string>? Models(JsonElement? value)
    {
        var models = Texts("models", value);
        return models is null || models.TrueForAll(Configuration.Sections.Names.IsModel)
            ? models
            : throw new FormatException("limits.models must be a list of models' ids or patterns such as \"claude-haiku-*\".");
    }

    private static List<IPNetwork>? Ranges(JsonElement? value) => Texts("allowFrom", value)?.ConvertAll(text => AddressRange.TryParse(text, out var range)
        ? range
        : throw new FormatException($"limits.allowFrom must be a list of {AddressRange.Expected}."));

    /// <returns>Null for an empty list too: nothing is left to be limited by.</returns>
    private static List<string>? Texts(string name, JsonElement? value)
    {
        if (value is not { } list)
        {
            return null;
        }

        if (list.ValueKind != JsonValueKind.Array || list.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String))
        {
            throw new FormatException($"limits.{name} must be a list of strings, or null for none.");
        }

        var texts = list.EnumerateArray().Select(item => item.GetString()!).ToList();
        return texts.Count == 0 ? null : texts;
    }

    /// <summary>A date means its first moment in UTC.</summary>
    private static DateTimeOffset? Moment(JsonElement? value)
    {
        if (value is not { } moment)
        {
            return null;
        }

        var text = moment.ValueKind == JsonValueKind.String ? moment.GetString() : null;
        return DateTimeOffset.TryParseExact(
            text, ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm'Z'", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:sszzz"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? at.ToUniversalTime()
            : throw new FormatException("limits.expires must be a date such as \"2027-01-31\", or a moment such as \"2027-01-31T18:00:00Z\", or null for never.");
    }
}
